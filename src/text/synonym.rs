//! Everyday words that mean nearly the same. They serve only where a question uses a word that no document holds, so
//! they can add an answer and never change one.

use crate::text::Language;

/// What people may mean by `word` (lower case), the closest meaning first.
pub fn meanings(word: &str, language: Language) -> impl Iterator<Item = &'static str> {
    let table = match language.code() {
        "eng" => ENGLISH,
        "deu" => GERMAN,
        _ => "",
    };
    let row = table.lines().filter_map(|row| row.split_once(": "));
    let found = row.into_iter().find(|(said, _)| said.split(' ').any(|each| each == word));
    found.map_or("", |(_, meant)| meant).split_ascii_whitespace()
}

/// A row: what is said, and what may be meant.
const ENGLISH: &str = "\
airplane plane flight: fly travel
apartment flat: address home
automobile car: vehicle
baby newborn infant: child birth
bicycle: bike cycle
bike bikes: bicycle
bill bills: invoice
boss: manager supervisor
broken smashed snapped cracked faulty defective: damaged defect broken
bus: transit bus
buy bought purchased: purchase order
cancel: withdraw cancellation
cart trolley: basket
cash: money
cellphone mobile smartphone phone: telephone phone smartphone
cheaper: reduced price
christmas xmas: gift present
client clients: customer
clothes: clothing garment
coworker: colleague
firm: company business
laptop pc notebook: computer
coupon coupons promo: voucher discount code
erase wipe: delete
shipping shipment ship shipped: delivery
device: equipment
died die death: deceased bereavement
rebate: discount
sick ill illness: sickness disease
doctor: physician medical
staff worker: employee
swap swapping: exchange
expire expired: validity valid expiry
fee fees: charge cost
fetch: collect pick
fix fixed mend: repair
garbage trash rubbish: waste
guarantee: warranty
holidays: holiday vacation
vacation: leave holiday
injury: injured
vacancy: position job
kid kids: child
login: sign
mail: post letter
mechanic: workshop
newspaper journalist: press
package: parcel
parcel: package
passcode: password
photo photos: picture image
pregnant: maternity parental
quit resign: leave leaving separation
receipt: invoice
reimburse reimbursement: refund
reward: bounty award
salary wage wages: pay compensation
scam fraud: phishing fraudulent
shop shops: store
store stores: shop
spouse wife husband: partner
stole steal: stolen theft
suspicious: phishing
tax: vat
train: rail
trip journey: travel
weekend: saturday sunday
annually: yearly year
yearly: annual year";

const GERMAN: &str = "\
auto: fahrzeug
bezahlen: zahlen zahlung
bike rad: fahrrad
gutschein: voucher
handy: telefon smartphone
kaputt defekt: beschädigt
versand: lieferung
sendung: paket
beleg: rechnung
retoure: rücksendung rückgabe
stornieren storno: widerruf stornierung
tauschen: umtausch umtauschen
ferien: urlaub";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_has_meanings_and_most_have_none() {
        let found: Vec<&str> = meanings("coupons", Language::ENGLISH).collect();
        assert_eq!(found, ["voucher", "discount", "code"]);
        assert_eq!(meanings("tarpaulin", Language::ENGLISH).count(), 0);
        assert_eq!(meanings("", Language::ENGLISH).count(), 0);
    }

    #[test]
    fn every_row_has_both_sides_and_no_word_is_said_twice() {
        for table in [ENGLISH, GERMAN] {
            let mut seen = std::collections::HashSet::new();
            for row in table.lines() {
                let (said, meant) = row.split_once(": ").expect("a row has two sides");
                assert!(!meant.trim().is_empty());
                assert!(said.split(' ').all(|word| seen.insert(word)), "{row}");
            }
        }
    }
}
