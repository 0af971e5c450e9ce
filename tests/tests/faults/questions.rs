//! Questions which of several appointments a person means.

use std::time::Duration;

use reminderly_core::domain::content::Content;
use reminderly_core::domain::language::Language;
use reminderly_core::domain::message::Origin;
use reminderly_core::domain::response::ResponseKind;
use reminderly_tests::world::{Setup, World, instant};
use reminderly_tests::{judge, material};
use serde_json::json;

#[test]
fn who_is_reminded_in_spanish_is_asked_in_spanish() {
    let number = material::number(0);
    let replies = json!([{ "after": "40m", "text": "1" }, { "after": "50m", "text": "2" }]);
    let delivered = json!([{ "after": "1s", "report": "delivered" }]);
    let script = json!({ "contact_points": { &number: { "reports": delivered, "replies": replies } } });
    let mut world = World::new(&Setup { script, ..Setup::default() });
    let company = world.company();
    let text = json!({
        "en": "Clinic: {{ first_name }}, see you soon. STOP to opt out.",
        "es": "Clinic: {{ first_name }}, hasta pronto. STOP para no recibir mensajes."
    });
    let changes = [("/mapping/fields/language", json!("row['Language']")), ("/messages/sms/text", text)];
    let campaign = world.campaign(company, &material::document_with(&changes));
    let data = format!(
        "Key,Name,Cell,Email,At,Person,Language\n\
         K0,Ana,{number},,2026-03-04 14:00,P0,es-MX\n\
         K1,Luz,{number},,2026-03-04 14:30,P1,es-MX\n"
    );
    let packet = world.load(company, campaign.id, &data);
    world.start_worker();
    world.run_until(instant("2026-03-04T18:00:00Z"));
    world.run_for(Duration::from_hours(5));
    let records = judge::records(&world, &campaign);
    let asked = records.iter().find(|record| matches!(record.message.origin, Origin::Reply { .. }));
    let asked = &asked.expect("a question").message;
    assert_eq!(asked.language.as_ref().map(Language::as_str), Some("es"), "that of its text");
    assert_eq!(
        asked.content.as_ref().map(Content::text),
        Some(
            "Tiene varias citas. ¿A cuál se refiere? Responda 1 para mié 4 mar, 2:00 PM, 2 para mié 4 mar, 2:30 PM."
        )
    );
    let responses = world.messages(company, packet).into_iter().map(|record| record.state.response);
    let kinds: Vec<_> = responses.map(|response| response.map(|response| response.kind)).collect();
    assert_eq!(kinds, [None, Some(ResponseKind::Confirmed)], "2 is the second, not the wish to cancel");
    judge::everything_ended(&world, &campaign);
}
