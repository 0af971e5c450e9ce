//! Data files as people send them: what is wrong with them costs its row or its file, and leaves nothing behind that blocks.

use futures::executor::block_on;
use reminderly_core::domain::access::Action;
use reminderly_core::domain::campaign::lifecycle::Campaign;
use reminderly_core::domain::packet::PacketStage;
use reminderly_core::domain::row::RowNumber;
use reminderly_core::ids::{CompanyId, PacketId};
use reminderly_core::ports::store::PacketStore as _;
use reminderly_core::services::{Ingest, Prepared, ServiceError};
use reminderly_core::sources::MemorySource;
use reminderly_tests::world::{Setup, World};
use reminderly_tests::{judge, material};
use serde_json::{Value, json};

/// A company with a campaign.
struct Office {
    world: World,
    company: CompanyId,
    campaign: Campaign,
}

impl Office {
    fn new(document: &Value) -> Self {
        let world = World::new(&Setup::default());
        let company = world.company();
        let campaign = world.campaign(company, document);
        Self { world, company, campaign }
    }

    /// A packet of this content, new unless there is one.
    fn prepare(&self, file: &[u8]) -> Prepared {
        let ingest = Ingest::new(&self.world.ports, &self.world.settings);
        let scope = self.world.scope(self.company, Action::Ingest);
        let source = MemorySource::new().with_file("visits.csv", file);
        block_on(ingest.prepare(&scope, self.campaign.id, &source, "visits.csv")).unwrap()
    }

    /// Loads a new file. The reason, if it cannot be used.
    fn load(&self, file: &[u8]) -> (PacketId, Result<(), String>) {
        let Prepared::New(packet) = self.prepare(file) else { panic!("the file is known") };
        let ingest = Ingest::new(&self.world.ports, &self.world.settings);
        let scope = self.world.scope(self.company, Action::Ingest);
        let source = MemorySource::new().with_file("visits.csv", file);
        let loaded = match block_on(ingest.load(&scope, packet.id, &source, &mut |_| {})) {
            Ok(_) => Ok(()),
            Err(ServiceError::UnusableFile { reason }) => Err(reason),
            Err(error) => panic!("{error:?}"),
        };
        (packet.id, loaded)
    }

    fn stage(&self, packet: PacketId) -> PacketStage {
        self.world.packet(self.company, packet).stage
    }

    /// `row:column:code` of what was rejected.
    fn rejected(&self, packet: PacketId) -> Vec<String> {
        let page = block_on(self.world.store.rejected(self.company, packet, RowNumber(0), 99)).unwrap();
        let place = |column: &Option<String>| column.clone().unwrap_or_default();
        page.items.iter().map(|row| format!("{}:{}:{}", row.row, place(&row.column), row.code)).collect()
    }

    fn cancel(&mut self, packet: PacketId) {
        let run = self.world.scope(self.company, Action::RunCampaign);
        block_on(self.world.campaigns().cancel_packet(&run, packet)).unwrap();
        self.world.run_for(std::time::Duration::from_mins(1));
        assert_eq!(self.stage(packet), PacketStage::Cancelled);
    }

    /// Who was written to, in the order of sending.
    fn written_to(&self) -> Vec<String> {
        self.world.sandbox.accepted().iter().map(|request| request.contact.address().to_owned()).collect()
    }
}

const AT: &str = "2026-03-04 14:00";

#[test]
fn a_corrected_file_follows_one_whose_columns_were_wrong() {
    let mut office = Office::new(&material::document());
    let wrong = material::csv(3, AT).replace("Cell", "cell ");
    let (failed, loaded) = office.load(wrong.as_bytes());
    assert_eq!(loaded, Ok(()), "its header is a header");
    office.world.start_worker();
    office.world.run_for(std::time::Duration::from_mins(2));
    assert_eq!(office.stage(failed), PacketStage::Failed);
    let reason = office.world.packet(office.company, failed).failure.unwrap().reason;
    assert!(reason.contains("did you mean \"cell\"? Only upper and lower case differ"), "{reason}");

    let (corrected, _) = office.load(material::csv(3, AT).as_bytes());
    office.world.run_for(std::time::Duration::from_hours(48));
    assert_eq!((office.stage(failed), office.stage(corrected)), (PacketStage::Failed, PacketStage::Complete));
    assert_eq!(office.written_to().len(), 3);
    office.cancel(failed);
    judge::all_is_well(&office.world, &office.campaign);
}

#[test]
fn a_corrected_file_brings_the_rows_that_were_rejected_and_nobody_twice() {
    let mut office = Office::new(&material::document());
    let good = material::csv(3, AT);
    let wrong = good.replace(&material::number(1), "5.205551E+09").replace("K2,", ",");
    let (first, _) = office.load(wrong.as_bytes());
    office.world.start_worker();
    office.world.run_for(std::time::Duration::from_mins(2));
    assert_eq!(office.rejected(first), ["2:Cell:excel_number", "3:Key:missing_value"]);
    let (second, _) = office.load(good.as_bytes());
    office.world.run_to_end();
    assert_eq!(office.rejected(second), [""; 0]);
    let mut written_to = office.written_to();
    written_to.sort();
    assert_eq!(written_to, [0, 1, 2].map(material::number), "each once, the corrected ones too");
    judge::all_is_well(&office.world, &office.campaign);
}

#[test]
fn a_file_that_could_not_be_decoded_goes_after_the_campaign_is_corrected() {
    let mut office = Office::new(&material::document());
    let text = material::csv(2, AT).replace("Name0", "Jos\u{1}");
    let file: Vec<u8> = text.bytes().map(|byte| if byte == 1 { 0xe9 } else { byte }).collect();
    let (failed, refused) = office.load(&file);
    let place = file.iter().position(|byte| *byte == 0xe9).unwrap();
    let reason = refused.unwrap_err();
    assert!(
        reason.contains(&format!("not UTF-8 at byte {place}:")) && reason.contains("windows-1252"),
        "{reason}"
    );
    office.world.start_worker();
    office.world.run_for(std::time::Duration::from_mins(2));
    assert_eq!(office.stage(failed), PacketStage::Failed, "no worker tries it again by itself");

    // A packet keeps the document that it was made with: who corrects that cancels the packet and hands the file in again.
    let document =
        material::document_with(&[("/source", json!({ "file": "*.csv", "encoding": "windows-1252" }))]);
    let edit = office.world.scope(office.company, Action::EditCampaign);
    let version = office.campaign.version;
    block_on(office.world.campaigns().edit(&edit, office.campaign.id, version, &document.to_string()))
        .unwrap();
    assert!(matches!(office.prepare(&file), Prepared::AlreadyLoaded(packet) if packet.id == failed));
    office.cancel(failed);
    let (again, loaded) = office.load(&file);
    assert_eq!(loaded, Ok(()));
    office.world.run_to_end();
    assert_eq!(office.stage(again), PacketStage::Complete);
    assert_eq!(office.written_to().len(), 2);
    let texts: Vec<String> = office
        .world
        .messages(office.company, again)
        .iter()
        .filter_map(|record| record.message.content.as_ref().map(|content| content.text().to_owned()))
        .collect();
    assert!(texts.iter().any(|text| text.contains("José")), "{texts:?}");
    judge::all_is_well(&office.world, &office.campaign);
}

#[test]
fn a_row_limit_lets_nothing_of_the_file_go() {
    let mut office = Office::new(&material::document());
    office.world.settings.file_limits.max_rows = 2;
    office.world.settings.rows_per_batch = 1;
    let (packet, refused) = office.load(material::csv(3, AT).as_bytes());
    assert_eq!(refused.unwrap_err(), "file has more than 2 rows: split it into several files");
    office.world.start_worker();
    office.world.run_for(std::time::Duration::from_hours(48));
    assert_eq!(office.stage(packet), PacketStage::Failed);
    assert!(office.written_to().is_empty() && office.world.messages(office.company, packet).is_empty());
    let (half, _) = office.load(material::csv(2, AT).as_bytes());
    office.world.run_for(std::time::Duration::from_mins(1));
    assert!(office.stage(half) >= PacketStage::Queued);
}

/// A file and what is rejected of it, as `row:column:code`; or the beginning of the reason why it cannot be used.
type Case = (&'static str, Vec<u8>, Result<&'static [&'static str], &'static str>);

fn row(index: usize) -> String {
    material::line(index, &material::number(index), AT)
}

fn with_rows(rows: &[&str]) -> Vec<u8> {
    format!("{}{}", material::HEADER, rows.concat()).into_bytes()
}

fn utf_16(text: &[u8], unit: fn(u16) -> [u8; 2]) -> Vec<u8> {
    str::from_utf8(text).unwrap().encode_utf16().flat_map(unit).collect()
}

fn truncated_and_quoted() -> Vec<Case> {
    let (a, b) = (row(0), row(1));
    let name = |name: &str| row(7).replace("Name7", name);
    let cut = |bytes: usize| {
        let mut file = with_rows(&[&a, &name("Zoë")]);
        file.truncate(file.len() - bytes);
        file
    };
    vec![
        ("no final line break", cut(1), Ok(&[])),
        ("cut in a row", cut(9), Ok(&["2::field_count"])),
        ("cut in a character", cut(name("Zoë").len() - "K7,Zo".len() - 1), Ok(&["2::field_count"])),
        ("cut in a quote", with_rows(&[&a, "K9,\"Name"]), Ok(&["2::unbalanced_quote"])),
        ("line breaks in quotes", with_rows(&[&name("\"Na\r\nme\""), &b]), Ok(&[])),
        ("a stray quote", with_rows(&[&name("\"Ann"), &a, &b]), Ok(&["1::unbalanced_quote"])),
        ("a field too many", with_rows(&[&a, &b.replace("Name1", "Name,1")]), Ok(&["2::field_count"])),
    ]
}

fn encodings() -> Vec<Case> {
    let (a, b) = (row(0), row(1).replace("Name1", "Zoë 😀"));
    let plain = with_rows(&[&a, &b]);
    let marked = [b"\xef\xbb\xbf", plain.as_slice()].concat();
    let little = utf_16(&plain, u16::to_le_bytes);
    let mut cut = [b"\xff\xfe", little.as_slice()].concat();
    cut.truncate(cut.len() - 3);
    let latin = |file: &[u8]| -> Vec<u8> {
        String::from_utf8_lossy(file)
            .replace("Zoë 😀", "Zo#")
            .bytes()
            .map(|b| if b == b'#' { 0xeb } else { b })
            .collect()
    };
    let mixed = [with_rows(&[&b]), latin(row(3).replace("Name3", "Zo#").as_bytes())].concat();
    vec![
        ("UTF-8 with mark", marked, Ok(&[])),
        ("UTF-16LE without mark", little, Ok(&[])),
        ("UTF-16BE with mark", [b"\xfe\xff", utf_16(&plain, u16::to_be_bytes).as_slice()].concat(), Ok(&[])),
        ("UTF-16LE cut in a character", cut, Ok(&["2:Person:invalid_utf8"])),
        ("Latin-1", latin(&plain), Err("file is not UTF-8 at byte 78: save it")),
        (
            "Shift-JIS",
            [with_rows(&[&a]), b"K1,\x8e\x52\x93\x63,+1520,,x,P\n".to_vec()].concat(),
            Err("file is not UTF-8 at byte 76: save it"),
        ),
        ("UTF-8 and Latin-1 mixed", mixed, Ok(&["2:Name:invalid_utf8"])),
    ]
}

fn headers() -> Vec<Case> {
    let (a, b) = (row(0), row(1));
    let with = |header: &str| [header.as_bytes(), b"\n", a.as_bytes(), b.as_bytes()].concat();
    let reordered = "Name,Key,At,Person,Email,Cell\nName0,K0,2026-03-04 14:00,P0,,+15202340000\n";
    let wide = format!("{},{}\n", material::HEADER.trim(), vec!["x"; 4_995].join(","));
    vec![
        ("reordered", reordered.into(), Ok(&[])),
        (
            "a column twice that is read",
            with("Key,Name,Cell,Email,At,Person,Key"),
            Err("columns 1 and 7 of the header are both named \"Key\", and $.mapping.key reads it"),
        ),
        (
            "renamed",
            with("Key,Name,Cell phone,Email,At,Person"),
            Err("the column \"Cell\" is missing; $.mapping.fields.sms reads it"),
        ),
        (
            "other case",
            with("Key,Name,CELL,Email,At,Person"),
            Err(
                "the column \"Cell\" is missing; $.mapping.fields.sms reads it; did you mean \"CELL\"? Only upper and lower case differ",
            ),
        ),
        ("no header", [a.as_bytes(), b.as_bytes()].concat(), Err("column 4 of the header has no name")),
        ("an empty name", with("Key,Name,,Cell,Email,At,Person"), Err("column 3 of the header has no name")),
        ("5,001 columns", wide.into(), Err("header has 5001 columns, and 5000 are allowed")),
        ("only a header", material::HEADER.into(), Ok(&[])),
        ("no bytes", Vec::new(), Err("file is empty")),
    ]
}

fn damaged_by_spreadsheets() -> Vec<Case> {
    let cell = |cell: &str| material::line(0, cell, AT);
    let at = |at: &str| material::line(1, &material::number(1), at);
    vec![
        ("a phone", with_rows(&[&cell("1.555E+10"), &row(2)]), Ok(&["1:Cell:excel_number"])),
        ("a longer one", with_rows(&[&cell("5.205551E+09"), &row(2)]), Ok(&["1:Cell:excel_number"])),
        ("a comma for a point", with_rows(&[&cell("\"1,555E+10\""), &row(2)]), Ok(&["1:Cell:excel_number"])),
        ("a key", with_rows(&[&row(2).replace("K2", "1.23457E+11"), &row(3)]), Ok(&["1:Key:excel_number"])),
        ("a date", with_rows(&[&at("46090"), &row(2)]), Ok(&["1:At:excel_date"])),
        ("a date and time", with_rows(&[&at("46090.395"), &row(2)]), Ok(&["1:At:excel_date"])),
        ("a number that is no date", with_rows(&[&at("1234"), &row(2)]), Ok(&["1:At:invalid_date"])),
        ("a decimal phone", with_rows(&[&cell("5202340000.0"), &row(2)]), Ok(&[])),
        ("semicolons", String::from_utf8(with_rows(&[&row(0)])).unwrap().replace(',', ";").into(), Ok(&[])),
        ("tabs", String::from_utf8(with_rows(&[&row(0)])).unwrap().replace(',', "\t").into(), Ok(&[])),
        ("bars", String::from_utf8(with_rows(&[&row(0)])).unwrap().replace(',', "|").into(), Ok(&[])),
    ]
}

#[test]
fn bad_files_are_told_row_by_row_or_as_a_whole() {
    let cases = [truncated_and_quoted(), encodings(), headers(), damaged_by_spreadsheets()];
    for (name, file, expected) in cases.into_iter().flatten() {
        let mut office = Office::new(&material::document());
        let (packet, loaded) = office.load(&file);
        office.world.start_worker();
        office.world.run_for(std::time::Duration::from_hours(48));
        let found = office.world.packet(office.company, packet);
        match expected {
            Ok(rejected) => {
                assert_eq!(found.stage, PacketStage::Complete, "{name}: {:?}", found.failure);
                assert_eq!(office.rejected(packet), rejected, "{name}");
                let good = found.rows.read - rejected.len() as u64;
                assert_eq!(office.written_to().len() as u64, good, "{name}: every other row went");
                judge::all_is_well(&office.world, &office.campaign);
            }
            Err(reason) => {
                let told = loaded.err().or(found.failure.map(|failure| failure.reason)).unwrap_or_default();
                assert!(told.starts_with(reason), "{name}: {told}");
                assert_eq!((found.stage, office.written_to().len()), (PacketStage::Failed, 0), "{name}");
            }
        }
    }
}
