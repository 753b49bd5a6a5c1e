//! Everyday words that mean nearly the same. They serve only where a question uses a word that no document holds, so
//! they can add an answer and never change one.

use crate::text::Language;

/// The other words of the group that `word` (lower case) stands in; none when it stands in none.
pub fn synonyms(word: &str, language: Language) -> impl Iterator<Item = &'static str> {
    let groups = match language.code() {
        "eng" => ENGLISH,
        "deu" => GERMAN,
        _ => "",
    };
    let group = groups.lines().find(|line| line.split_ascii_whitespace().any(|each| each == word));
    let word = word.to_owned();
    group.unwrap_or_default().split_ascii_whitespace().filter(move |each| *each != word)
}

const ENGLISH: &str = "\
ache pain hurt
airplane plane flight fly
allergy allergic
apartment flat
application app
automobile car vehicle
baby newborn infant child children
balance remainder
bank account
begin start commence
bicycle bike bikes bicycles cycle
bill bills invoice invoices
boss manager supervisor
break broken break snapped snap cracked damaged damage defect defective faulty smashed
bus transit
buy bought purchase purchased order ordered
cancel cancelled cancellation stop withdraw
cart basket trolley
cash money
cellphone mobile telephone phone smartphone
cheap cheaper reduced discount price
christmas xmas gift present
client customer
clothes clothing garment
colleague coworker
company firm business employer
complaint complain complaints
computer laptop pc notebook
coupon coupons voucher vouchers discount code codes promo
delete erase erased wipe remove
delivery shipping shipment dispatch deliver
device equipment hardware
die died death deceased bereavement
discount rebate reduction
disease sickness illness ill sick
doctor physician medical
employee staff worker
exchange exchanged exchanging swap swapping replace
expire expires expired lapse
fee fees charge charges cost
fetch collect pick
fill complete
fix fixed repair repairs repaired mend
garbage waste trash rubbish
guarantee warranty
holiday vacation leave
injured injury hurt
job position vacancy work
kid kids child children
lend borrow loan
login signin sign
mail letter post
mechanic workshop repair
monthly month
newspaper press journalist
package parcel packet box
parking garage
password passcode
pay payment paid
phone telephone call ring
photo photos picture pictures image
pregnant maternity parental birth
price cost fee
quit resign leave leaving
receipt invoice proof
refund reimburse reimbursement money
reward bounty award
salary pay wage wages compensation
scam phishing fraud fraudulent fake
shop store
spouse wife husband partner someone
steal stole stolen theft
suspicious strange phishing fake
tax vat
teacher instructor trainer
ticket booking
train rail
trash bin
trip travel journey
vacation leave holiday
weekend saturday sunday
yearly annual annually year";

const GERMAN: &str = "\
abholen abholung
auto fahrzeug
bezahlen zahlen zahlung
fahrrad rad bike fahrräder räder
gutschein voucher
handy telefon smartphone
kaputt defekt beschädigt
konto kundenkonto
lieferung versand zustellung
paket sendung
rechnung beleg
reparieren reparatur
rückgabe rücksendung retoure umtausch
storno stornieren widerruf
tauschen umtauschen umtausch
urlaub ferien";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_has_the_others_of_its_group() {
        let found: Vec<&str> = synonyms("guarantee", Language::ENGLISH).collect();
        assert_eq!(found, ["warranty"]);
        assert_eq!(synonyms("tarpaulin", Language::ENGLISH).count(), 0);
        assert_eq!(synonyms("", Language::ENGLISH).count(), 0);
    }
}
