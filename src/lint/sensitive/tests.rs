//! Each kind with values made up for the purpose, and with near misses.
//!
//! Values are put together from pieces, so that no scanner of repositories takes this file for a leak.

use proptest::prelude::*;

use super::*;

fn found(text: &str) -> Vec<(&'static str, Level)> {
    find(text).iter().map(|found| (found.kind.id, found.level)).collect()
}

fn ids(text: &str) -> Vec<&'static str> {
    find(text).iter().map(|found| found.kind.id).collect()
}

/// A value of `length` characters without a pattern.
fn noise(length: usize) -> String {
    "q7Rk2mZt9WbX4cVn6LpY8sHd3Jf5GaTe1uCiB0xNoMwQzKrEvDyS".chars().cycle().take(length).collect()
}

#[test]
fn every_pattern_compiles() {
    assert_eq!(COMPILED.len(), rows().count());
    assert!(kinds().len() > 30);
}

#[test]
fn tokens_are_known_by_their_form() {
    let hex = "0a1b2c3d4e5f60718293a4b5c6d7e8f9";
    for (id, value) in [
        ("aws-key", format!("AK{}", "IAQ3EGRTYPLMN2WXKZ")),
        ("google-key", format!("AI{}{}", "za", noise(35))),
        ("github-token", format!("gh{}_{}", "p", noise(36))),
        ("github-token", format!("github_{}_{}_{}", "pat", noise(22), noise(59).replace('_', "a"))),
        ("gitlab-token", format!("gl{}-{}", "pat", noise(20))),
        ("slack-token", format!("xo{}-{}-{}", "xb", "2845720194", noise(24))),
        ("stripe-key", format!("sk_{}_{}", "live", noise(24))),
        ("openai-key", format!("sk-{}-{}", "proj", noise(48))),
        ("anthropic-key", format!("sk-{}-{}", "ant-api03", noise(90))),
        ("npm-token", format!("np{}_{}", "m", noise(36))),
        ("sendgrid-key", format!("S{}.{}.{}", "G", noise(22), noise(43))),
        ("mailgun-key", format!("ke{}-{hex}", "y")),
        ("jwt", format!("ey{}.ey{}.{}", noise(20).replacen('q', "J", 1), noise(30).replacen('q', "J", 1), noise(43))),
        ("azure-key", noise(86) + "=="),
    ] {
        let text = if id == "azure-key" { format!("AccountKey={value};") } else { format!("Use {value} for it.") };
        assert_eq!(found(&text), [(id, Level::High)], "{text}");
        let placeholder: String =
            value.chars().take(8).chain("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx".chars()).collect();
        assert!(ids(&placeholder).iter().all(|found| *found != id), "{placeholder}");
    }
}

#[test]
fn private_keys_need_a_body() {
    let key = |begin: &str| format!("-----BEGIN {begin}PRIVATE KEY-----\n{}\n-----END", noise(64));
    assert_eq!(ids(&key("RSA ")), ["private-key"]);
    assert_eq!(ids(&key("")), ["private-key"]);
    assert_eq!(ids(&key("OPENSSH ").replace('\n', " ")), ["private-key"]);
    assert!(ids("A file that begins with -----BEGIN PRIVATE KEY----- is secret.").is_empty());
    assert!(ids(&key("").replace("PRIVATE", "PUBLIC")).is_empty());
}

#[test]
fn passwords_look_like_passwords() {
    for text in [
        "postgresql://app:Wint3rgarten@db.internal/shop",
        "amqps://svc:tulpe@mq:5671",
        "password = Tr0ub4dor&3",
        "| Password | kL9#vQ2x |",
        "Passwort: Sommer2031!",
        "The password is: Zug-Brot-77!",
        "The Wi-Fi password is Blue-Horse-77.",
        "Das WLAN-Passwort ist Blume-Hund-77",
        "Le mot de passe est Cheval-Bleu-77",
        "La contraseña es Caballo_Azul_77",
        "The password for the guest network is Blue-Horse-77",
        "Passwort für Gäste: Sommer2031!",
        "The password is “Blue-Horse-77”.",
        "pwd=\"lampenschirmständer\"",
    ] {
        assert_eq!(ids(text).len(), 1, "{text}");
    }
    for text in [
        "postgresql://user:password@localhost/db",
        "postgresql://user:pass@host/db",
        "redis://:${REDIS_PASSWORD}@cache:6379",
        "https://shop.example/a:b@c",
        "Password: at least eight characters",
        "password: required",
        "Password = ********",
        "password = os.environ.get(\"PW\")",
        "password: settings.database.password",
        "password: <your password>",
        "Password: case-sensitive, 2-factor",
        "The password is case-sensitive and at-least-12 characters long",
        "The password is min-length-12",
        "The password is 128-bit",
        "The password is your-name-77",
        "The password is example-word-77",
        "The password issue-2024-tracker is open",
        "The password for the guest network is on the door",
        "Forgot your password? Click here: account/settings",
    ] {
        assert!(ids(text).is_empty(), "{text}: {:?}", ids(text));
    }
}

#[test]
fn nameless_keys_need_entropy() {
    assert_eq!(ids(&format!("api_key: {}", noise(32))), ["generic-secret"]);
    assert_eq!(ids(&format!("CLIENT_SECRET=\"{}\"", noise(40))), ["generic-secret"]);
    for text in [
        "api_key: YOUR_API_KEY_GOES_HERE_1234",
        "token: projects/shop/locations/eu",
        "secret = settings.api.secret_key_2",
        "access_key = 1111111111111111111111",
        "token: release-2031-04-02-final-build",
    ] {
        assert!(ids(text).is_empty(), "{text}");
    }
}

#[test]
fn numbers_need_their_checksum() {
    for (id, good, bad) in [
        ("iban", "IBAN DE02 1203 0000 0000 2020 51.", "IBAN DE02 1203 0000 0000 2020 52."),
        ("iban", "pay to GB33BUKB20201555555555", "pay to GB33BUKB2020155555555"),
        ("card", "Card 4539 1488 0343 6467", "Card 4539 1488 0343 6468"),
        ("card", "3782 822463 10005 is hers", "378 2822463 10005 is hers"),
        ("us-ssn", "SSN 512-68-4471", "SSN 666-68-4471"),
        ("de-tax-id", "Steuer-ID 86 095 742 719", "Steuer-ID 86 095 742 718"),
        ("es-id", "DNI 12345678Z", "DNI 12345678A"),
        ("fr-nir", "NIR : 2 55 08 14 168 025 38", "NIR : 2 55 08 14 168 025 39"),
        ("uk-nhs", "NHS number: 943 476 5919", "NHS number: 943 476 5918"),
        ("uk-nhs", "| NHS No. | 943-476-5919 |", "| Member No. | 9434765919 |"),
        ("de-pension-id", "Rentenversicherungsnummer 15 070649 C 103", "Rentenversicherungsnummer 15 070649 C 104"),
        ("de-pension-id", "SV-Nr.: 65170839J003", "SV-Nr.: 65173939J003"),
        ("nl-bsn", "BSN 111222333", "BSN 111222334"),
    ] {
        assert_eq!(found(good), [(id, Level::High)], "{good}");
        assert!(ids(bad).is_empty(), "{bad}: {:?}", ids(bad));
    }
    for text in [
        "order 86095742719",
        "lot 65170839J003",
        "NHS helpline, ring 943 476 5919",
        "part 111222333",
        "1234 5678 9012 3456",
        "invoice 512-68-44712",
        "No. 4-512-68-4471",
    ] {
        assert!(ids(text).is_empty(), "{text}: {:?}", ids(text));
    }
}

#[test]
fn people_are_told_from_roles_and_services() {
    for (text, level) in [
        ("write to marta.quill@lampworks.eu", Level::Medium),
        ("marta.quill@shop.example", Level::Medium),
        ("support@lampworks.eu", Level::Low),
        ("returns-de@lampworks.eu", Level::Low),
        ("you@example.com", Level::Low),
        ("fleet@lampworks.eu", Level::Low),
        ("tts-travel@lampworks.eu", Level::Low),
        ("maria@lampworks.eu", Level::Medium),
        ("jdoe84@gmail.com", Level::Medium),
        ("Tel. 030 / 555 17 42", Level::Medium),
        ("call +49 30 5551742 now", Level::Medium),
        ("(415) 386-2071", Level::Medium),
        ("+1 800 386 2071", Level::Low),
        ("Phone: 0800 111 2233", Level::Low),
        ("Date of birth: 3 March 1984", Level::High),
        ("| Geburtsdatum | 03.03.1984 |", Level::High),
        ("Born: 12.03.1980", Level::High),
        ("Geboren: 12. März 1980", Level::High),
        ("Geboren am: 12.03.1980", Level::High),
        ("geb. 12.03.1980", Level::High),
        ("Née le 12 mars 1980", Level::High),
        ("Né le 1er mars 1980", Level::High),
        ("Fecha de nacimiento: 12 de marzo de 1980", Level::High),
        ("Nacida el 12/03/1980", Level::High),
        ("Data di nascita – 12/03/1980", Level::High),
        ("Date of birth (day, month, year): 12/03/1980", Level::High),
        ("His date of birth is 12 March 1980", Level::High),
        ("生年月日：1980年3月12日", Level::High),
    ] {
        let found = find(text);
        assert_eq!(found.iter().map(|found| found.level).collect::<Vec<_>>(), [level], "{text}");
    }
    for text in [
        "logo@2x.png",
        "git clone git@code.lampworks.eu:shop/docs.git",
        "order 10 4471 2208",
        "from 2019-03-04 to 2021-05-06",
        "version 12.4.1.0, ISBN 978-3-16-148410-0",
        "+12.50 and +13.00 euro",
        "a gain of +20000000",
        "10.0.12.255",
        "She was born on 3 March 1784",
        "Newborn: 12.03.1980",
        "The idea was born 12 March 1980",
        "Stubborn: 12.03.1980",
        "Founded: 12.03.1980",
        "The phone 12 has more",
    ] {
        assert!(ids(text).is_empty(), "{text}: {:?}", ids(text));
    }
}

#[test]
fn the_surer_kind_wins_and_redacts() {
    let key = format!("gh{}_{}", "p", noise(36));
    let text = format!("token = {key} and marta.quill@lampworks.eu");
    assert_eq!(ids(&text), ["github-token", "email"]);
    assert_eq!(redact(&text), "token = ghp_… and …");
}

proptest! {
    #[test]
    fn any_text_is_taken(text in "\\PC{0,200}") {
        let found = find(&text);
        prop_assert!(found.windows(2).all(|pair| pair[0].value.end <= pair[1].value.start));
        let _ = redact(&text);
    }

    #[test]
    fn what_looks_like_a_secret_never_stays_whole(words in "[A-Za-z0-9+/=:@ ._-]{0,40}") {
        let key = format!("gh{}_{}", "p", noise(36));
        let text = format!("{words} password=Tr0ub4dor&3 {words} {key} {words}");
        prop_assert!(!redact(&text).contains(&key));
    }
}
