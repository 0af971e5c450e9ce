use proptest::prelude::*;
use rstest::rstest;

use super::area_codes::WHOLLY_VALID;
use super::*;

#[rstest]
#[case("+15205550100", None, "+15205550100")]
#[case("(520) 555-0100", Some("US"), "+15205550100")]
#[case("1 (520) 555.0100", Some("us"), "+15205550100")]
#[case("tel:+1-520-555-0100", None, "+15205550100")]
#[case("TEL:520-555-0100", Some("CA"), "+15205550100")]
#[case("\u{202a}+1\u{a0}520\u{2011}555\u{2011}0100\u{202c}", None, "+15205550100")]
#[case("\u{feff}５２０５５５０１００", Some("US"), "+15205550100")]
#[case("+١٥٢٠٥٥٥٠١٠٠", None, "+15205550100")]
#[case("'5205550100", Some("US"), "+15205550100")]
#[case("5205550100.0", Some("US"), "+15205550100")]
#[case("011 44 20 7946 0018", Some("US"), "+442079460018")]
#[case("+44 (0)20 7946 0018", None, "+442079460018")]
#[case("+33 1 70 18 99 00", Some("US"), "+33170189900")]
#[case("011 33 1 70 18 99 00", Some("US"), "+33170189900")]
#[case("00 33 1 70 18 99 00", Some("GB"), "+33170189900")]
#[case("0011 33 1 70 18 99 00", Some("AU"), "+33170189900")]
#[case("8 10 44 20 7946 0018", Some("RU"), "+442079460018")]
#[case("020 7946 0018", Some("GB"), "+442079460018")]
#[case("02 3661 8300", Some("IT"), "+390236618300")]
#[case("06 31 96 65 43", Some("FR"), "+33631966543")]
#[case("983-555-0123", Some("US"), "+19835550123")]
#[case("+7 812 703-01-01", None, "+78127030101")]
#[case("8 (812) 703-01-01", Some("RU"), "+78127030101")]
#[case("812 703-01-01", Some("RU"), "+78127030101")]
#[case("00 7 844 900 10 17", Some("GB"), "+78449001017")]
#[case("+1 876 912 3456", None, "+18769123456")]
fn a_number_is_read(#[case] text: &str, #[case] region: Option<&str>, #[case] canonical: &str) {
    assert_eq!(PhoneNumber::parse(text, region).map(String::from), Ok(canonical.to_owned()));
}

#[rstest]
#[case("", InvalidContactPoint::Phone)]
#[case("n/a", InvalidContactPoint::Phone)]
#[case("+", InvalidContactPoint::Phone)]
#[case("someletters1110@gmail.com", InvalidContactPoint::Phone)]
#[case("1-800-FLOWERS", InvalidContactPoint::Phone)]
#[case("520-555-010", InvalidContactPoint::Phone)]
#[case("520-155-0100", InvalidContactPoint::Phone)]
#[case("555-555-0100", InvalidContactPoint::Phone)]
#[case("310-1234", InvalidContactPoint::Phone)]
#[case("520555\r\n0100", InvalidContactPoint::Phone)]
#[case("5205550100 / 5205550101", InvalidContactPoint::Phone)]
#[case("+1+5205550100", InvalidContactPoint::Phone)]
#[case("520-555-0100 x12", InvalidContactPoint::PhoneExtension)]
#[case("520-555-0100 ext. 12", InvalidContactPoint::PhoneExtension)]
#[case("tel:+15205550100;ext=12", InvalidContactPoint::PhoneExtension)]
#[case("5205550100,,12", InvalidContactPoint::PhoneExtension)]
#[case("5205550100#12", InvalidContactPoint::PhoneExtension)]
#[case("1.555E+10", InvalidContactPoint::SpreadsheetNumber)]
#[case("1,555e10", InvalidContactPoint::SpreadsheetNumber)]
#[case("5.20556E+09", InvalidContactPoint::SpreadsheetNumber)]
#[case("911", InvalidContactPoint::ShortCode)]
#[case("112", InvalidContactPoint::ShortCode)]
#[case("+1911", InvalidContactPoint::ShortCode)]
#[case("72345", InvalidContactPoint::ShortCode)]
#[case("246810", InvalidContactPoint::ShortCode)]
fn a_number_is_refused(#[case] text: &str, #[case] why: InvalidContactPoint) {
    assert_eq!(PhoneNumber::parse(text, Some("US")), Err(why));
}

#[test]
fn a_national_number_needs_a_known_region() {
    assert_eq!(PhoneNumber::parse("5205550100", None), Err(InvalidContactPoint::MissingRegion));
    for region in ["XX", "", "USA", "AQ", "001", "é"] {
        assert_eq!(
            PhoneNumber::parse("5205550100", Some(region)),
            Err(InvalidContactPoint::UnknownRegion),
            "{region}"
        );
    }
}

#[test]
fn the_short_way_accepts_only_what_the_crate_accepts() {
    for area in WHOLLY_VALID {
        // One number per hundreds of exchanges here; the pattern has no finer grain than the exchange.
        for exchange in (200..1000).step_by(97).chain([999, 555]) {
            let text = format!("+1{area}{exchange}{:04}", (u32::from(area) * 7 + exchange) % 10_000);
            let number = phonenumber::parse(None, &text).unwrap();
            assert!(phonenumber::is_valid(&number), "{text}");
            assert_eq!(PhoneNumber::parse(&text, None).unwrap().as_str(), text);
        }
    }
}

#[test]
fn a_canonical_number_of_each_region_is_read_as_itself() {
    for region in phonenumber::metadata::DATABASE.iter() {
        let descriptors = region.descriptors();
        for example in [descriptors.mobile(), descriptors.fixed_line()].into_iter().flatten() {
            let Some(example) = example.example() else { continue };
            let text = format!("+{}{example}", region.country_code());
            let Ok(number) = PhoneNumber::parse(&text, None) else { panic!("{}: {text}", region.id()) };
            assert_eq!(PhoneNumber::parse(number.as_str(), None).as_ref(), Ok(&number), "{}", region.id());
            assert_eq!(PhoneNumber::parse_stored(number.as_str()).as_ref(), Ok(&number), "{}", region.id());
            if region.id().len() == 2 {
                let national = PhoneNumber::parse(number.as_str(), Some(region.id()));
                assert_eq!(national.as_ref(), Ok(&number), "{}", region.id());
            }
        }
    }
}

#[rstest]
#[case("ann@example.com", "ann@example.com")]
#[case(" Ann.Lee+tag@Example.COM. ", "ann.lee+tag@example.com")]
#[case("mailto:ann@example.com", "ann@example.com")]
#[case("o'neil@mail.example.co.uk", "o'neil@mail.example.co.uk")]
#[case("re\u{301}ne@example.fr", "réne@example.fr")]
#[case("ann@xn--bcher-kva.example", "ann@xn--bcher-kva.example")]
fn an_address_is_read(#[case] text: &str, #[case] canonical: &str) {
    assert_eq!(EmailAddress::parse(text).map(String::from), Ok(canonical.to_owned()));
}

#[rstest]
#[case("")]
#[case("ann")]
#[case("ann@")]
#[case("@example.com")]
#[case("ann@localhost")]
#[case("ann@[127.0.0.1]")]
#[case("ann@127.0.0.1")]
#[case("Ann <ann@example.com>")]
#[case("<ann@example.com>")]
#[case("ann@example.com, bob@example.com")]
#[case("ann@example.com\r\nBcc: bob@example.com")]
#[case("ann@exam\nple.com")]
#[case("\"ann lee\"@example.com")]
#[case("ann@exa_mple.com")]
#[case("ann@-example.com")]
#[case("ann..lee@example.com")]
#[case("a nn@example.com")]
fn an_address_is_refused(#[case] text: &str) {
    assert_eq!(EmailAddress::parse(text), Err(InvalidContactPoint::Email));
}

#[test]
fn an_address_has_254_bytes_and_an_ascii_domain() {
    let long = |labels: usize| format!("ann@{}example.com", "abcdefghi.".repeat(labels));
    assert!(EmailAddress::parse(&long(23)).is_ok());
    assert_eq!(EmailAddress::parse(&long(24)), Err(InvalidContactPoint::Email));
    assert_eq!(EmailAddress::parse(&long(2_400)), Err(InvalidContactPoint::Email));
    assert_eq!(EmailAddress::parse("ann@bücher.example"), Err(InvalidContactPoint::UnicodeEmailDomain));
}

#[test]
fn contact_points_read_back_and_show_nothing() {
    let number = PhoneNumber::parse("+15205550100", None).unwrap();
    let email = EmailAddress::parse("ann@example.com").unwrap();
    for point in [ContactPoint::Sms(number.clone()), ContactPoint::Phone(number), ContactPoint::Email(email)]
    {
        assert_eq!(ContactPoint::parse_stored(point.method(), point.address()), Ok(point.clone()));
        let json = serde_json::to_value(&point).unwrap();
        assert_eq!(json["method"], point.method().as_str());
        assert_eq!(json["address"], point.address());
        assert_eq!(serde_json::from_value::<ContactPoint>(json).unwrap(), point);
        assert!(!format!("{point:?}").contains(point.address()));
    }
    let forged = serde_json::json!({"method": "sms", "address": "911"});
    assert!(serde_json::from_value::<ContactPoint>(forged).is_err());
}

const GAPS: &[&str] = &["", "-", " ", ".", "\u{a0}", "‑", "/", "\u{200b}", ") ", " ("];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn every_spelling_of_a_number_is_one_key(
        prefix in prop::sample::select(vec!["", "1", "+1", "tel:+1", " +1", "(+1)", "\u{200e}+1", "＋1"]),
        gaps in prop::collection::vec(prop::sample::select(GAPS), 11),
        script in prop::sample::select(vec!['0', '０', '٠', '۰', '०']),
    ) {
        let digit = |d: char| char::from_u32(u32::from(script) + d.to_digit(10).unwrap()).unwrap();
        let spelling: String =
            "5205550100".chars().zip(&gaps).flat_map(|(d, gap)| gap.chars().chain([digit(d)])).collect();
        let number = PhoneNumber::parse(&format!("{prefix}{spelling}"), Some("US"));
        prop_assert_eq!(number.map(String::from), Ok("+15205550100".to_owned()));
    }

    #[test]
    fn neither_case_nor_a_trailing_dot_make_another_address(
        address in "[a-zA-Z]{1,9}[.+][a-zA-Z0-9]{1,9}@[a-zA-Z]{1,9}\\.[a-zA-Z]{2,6}",
    ) {
        let key = EmailAddress::parse(&address).unwrap();
        prop_assert_eq!(&EmailAddress::parse(&address.to_uppercase()).unwrap(), &key);
        prop_assert_eq!(&EmailAddress::parse(&format!(" {address}. ")).unwrap(), &key);
        prop_assert_eq!(&EmailAddress::parse(key.as_str()).unwrap(), &key);
    }

    #[test]
    fn no_text_makes_reading_panic(text in "\\PC{0,40}", digits in "\\+?[0-9 ()-]{0,24}") {
        for region in [None, Some("US"), Some("DE"), Some("BR")] {
            let _ = (PhoneNumber::parse(&text, region), PhoneNumber::parse(&digits, region));
        }
        let _ = EmailAddress::parse(&text);
    }
}
