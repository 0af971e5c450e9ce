//! `messages` and `methods`: the texts, and which of them are used.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::super::definition::{
    AnswersUse, EmailTemplate, HouseholdUse, LocalizedText, Mapping, Messages, MethodChoice, Methods,
    PhoneTemplate, RedialRule, RedialRules, SmsTemplate,
};
use super::super::problem::{Problems, member_path};
use super::node::Node;
use super::reader::{Field, ObjectReader};
use super::texts::{no_text, one_line, same_languages, text_of};
use super::values;
use crate::domain::contact_method::ContactMethod;
use crate::domain::language::Language;

/// How long a rung may stay unanswered if the campaign does not say.
const LADDER_WAIT_DEFAULT: Duration = Duration::from_hours(2);

const LADDER_WAIT_MIN: Duration = Duration::from_mins(1);

/// The most calls that may follow one that reached nobody.
const REDIALS_MAX: u64 = 5;

/// How soon a call may follow one that reached nobody.
const REDIAL_AFTER: RangeInclusive<Duration> = Duration::from_mins(1)..=Duration::from_hours(24);

/// The methods of this release by their names in the document, in the order of preference.
const METHODS: [(&str, ContactMethod); 3] =
    [("sms", ContactMethod::Sms), ("email", ContactMethod::Email), ("phone", ContactMethod::Phone)];

pub(super) fn messages(field: Option<Field<'_>>, language: &Language, problems: &mut Problems) -> Messages {
    let Some(field) = field else { return Messages::default() };
    let Some(mut object) = field.object(problems) else { return Messages::default() };
    let sms = object.optional("sms");
    let email = object.optional("email");
    let phone = object.optional("phone");
    if sms.is_none() && email.is_none() && phone.is_none() {
        field.fault("expected texts for at least one of \"sms\", \"email\" and \"phone\"", problems);
    }
    object.finish(problems);
    Messages {
        sms: sms.map(|field| sms_template(&field, language, problems)),
        email: email.map(|field| email_template(&field, language, problems)),
        phone: phone.map(|field| phone_template(&field, language, problems)),
    }
}

fn sms_template(field: &Field<'_>, language: &Language, problems: &mut Problems) -> SmsTemplate {
    let Some(mut object) = field.object(problems) else { return SmsTemplate { text: no_text() } };
    let text = required_text(&mut object, "text", language, problems);
    object.finish(problems);
    SmsTemplate { text }
}

fn email_template(field: &Field<'_>, language: &Language, problems: &mut Problems) -> EmailTemplate {
    let Some(mut object) = field.object(problems) else {
        return EmailTemplate { subject: no_text(), text: no_text(), html: None };
    };
    let subject = required_text(&mut object, "subject", language, problems);
    let text = required_text(&mut object, "text", language, problems);
    let html = object.optional("html").map(|field| text_of(&field, language, problems));
    object.refuse_unless("calendar_invite", "", |node| matches!(node, Node::Bool(false)), problems);
    object.finish(problems);
    one_line(&subject, &member_path(&field.path, "subject"), problems);
    let parts = [("subject", Some(&subject)), ("text", Some(&text)), ("html", html.as_ref())];
    same_languages(&field.path, &parts, language, problems);
    EmailTemplate { subject, text, html }
}

fn phone_template(field: &Field<'_>, language: &Language, problems: &mut Problems) -> PhoneTemplate {
    let mut retry = RedialRules::default();
    let Some(mut object) = field.object(problems) else {
        return PhoneTemplate { script: no_text(), voicemail: None, retry };
    };
    let script = required_text(&mut object, "script", language, problems);
    let voicemail = object.optional("voicemail").map(|field| text_of(&field, language, problems));
    let rules = object.optional("retry");
    object.finish(problems);
    let parts = [("script", Some(&script)), ("voicemail", voicemail.as_ref())];
    same_languages(&field.path, &parts, language, problems);
    if let Some(mut rules) = rules.and_then(|field| field.object(problems)) {
        for (key, rule) in [("busy", &mut retry.busy), ("no_answer", &mut retry.no_answer)] {
            if let Some(field) = rules.optional(key) {
                redial_rule(&field, rule, problems);
            }
        }
        rules.finish(problems);
    }
    PhoneTemplate { script, voicemail, retry }
}

fn redial_rule(field: &Field<'_>, rule: &mut RedialRule, problems: &mut Problems) {
    let Some(mut object) = field.object(problems) else { return };
    if let Some(field) = object.required("times", problems) {
        let times = field.integer(0..=REDIALS_MAX, problems);
        rule.times = times.and_then(|times| u32::try_from(times).ok()).unwrap_or_default();
    }
    if let Some(field) = object.optional("after")
        && let Some(after) = field.parsed(values::duration, problems)
    {
        if REDIAL_AFTER.contains(&after) {
            rule.after = after;
        } else {
            field.fault("expected a duration from 1m to 1d", problems);
        }
    }
    object.finish(problems);
}

fn required_text(
    object: &mut ObjectReader<'_>,
    key: &'static str,
    language: &Language,
    problems: &mut Problems,
) -> LocalizedText {
    let field = object.required(key, problems);
    field.map_or_else(no_text, |field| text_of(&field, language, problems))
}

pub(super) fn methods(
    field: Option<Field<'_>>,
    messages: &Messages,
    mapping: &Mapping,
    problems: &mut Problems,
) -> Methods {
    let mut methods = Methods {
        order: Vec::new(),
        choice: MethodChoice::default(),
        answers_model: AnswersUse::default(),
        household: HouseholdUse::default(),
    };
    let mut order_path = None;
    if let Some(mut object) = field.and_then(|field| field.object(problems)) {
        if let Some(field) = object.optional("order") {
            methods.order = order(&field, messages, problems);
            order_path = Some(field.path);
        }
        let wait = object.optional("ladder_wait");
        if let Some(field) = object.optional("use") {
            methods.choice = choice(&field, wait.as_ref(), problems);
        }
        if let (Some(wait), false) = (wait, matches!(methods.choice, MethodChoice::Ladder { .. })) {
            wait.fault("goes with \"use\": \"ladder\" only", problems);
        }
        if let Some(field) = object.optional("answers_model") {
            methods.answers_model = answers_model(&field, methods.choice, problems);
        }
        if let Some(field) = object.optional("household") {
            methods.household = household(&field, methods.choice, problems);
        }
        object.finish(problems);
    }
    if order_path.is_none() {
        let all = METHODS.into_iter().map(|(_, method)| method);
        methods.order = all.filter(|method| has_text(messages, *method)).collect();
    }
    for method in methods.order.iter().filter(|method| !mapping.fields.contains_key(method.as_str())) {
        let message = format!("is required: the campaign contacts people by {method}");
        problems.add(&format!("$.mapping.fields.{method}"), message);
    }
    methods
}

fn order(field: &Field<'_>, messages: &Messages, problems: &mut Problems) -> Vec<ContactMethod> {
    let mut order = Vec::new();
    let Some(items) = field.list(problems) else { return order };
    if items.is_empty() {
        field.fault("expected at least one method", problems);
    }
    for item in items {
        let Some(method) = item.choice(&METHODS, problems) else { continue };
        if order.contains(&method) {
            item.fault("stands twice", problems);
        } else if has_text(messages, method) {
            order.push(method);
        } else {
            item.fault(format!("there is no text for it: give messages.{method}"), problems);
        }
    }
    order
}

fn answers_model(field: &Field<'_>, choice: MethodChoice, problems: &mut Problems) -> AnswersUse {
    let choices =
        [("off", AnswersUse::Off), ("first_method", AnswersUse::FirstMethod), ("order", AnswersUse::Order)];
    let wanted = field.choice(&choices, problems).unwrap_or_default();
    match (wanted, choice) {
        (AnswersUse::FirstMethod, MethodChoice::All | MethodChoice::Ladder { .. }) => field
            .fault("goes with \"use\": \"first_available\" only: else every method is used anyway", problems),
        (AnswersUse::Order, MethodChoice::Ladder { .. }) => {
            field.fault("a ladder has its own instants, counted back from the appointment", problems);
        }
        _ => {}
    }
    wanted
}

fn household(field: &Field<'_>, choice: MethodChoice, problems: &mut Problems) -> HouseholdUse {
    let choices = [("off", HouseholdUse::Off), ("same_day", HouseholdUse::SameDay)];
    let wanted = field.choice(&choices, problems).unwrap_or_default();
    if wanted == HouseholdUse::SameDay && matches!(choice, MethodChoice::Ladder { .. }) {
        let message = "does not go with \"use\": \"ladder\", where each row is tried by itself; give \"off\", or another \"use\"";
        field.fault(message, problems);
    }
    wanted
}

const fn has_text(messages: &Messages, method: ContactMethod) -> bool {
    match method {
        ContactMethod::Sms => messages.sms.is_some(),
        ContactMethod::Email => messages.email.is_some(),
        ContactMethod::Phone => messages.phone.is_some(),
    }
}

fn choice(field: &Field<'_>, wait: Option<&Field<'_>>, problems: &mut Problems) -> MethodChoice {
    let wait = wait.and_then(|wait| ladder_wait(wait, problems)).unwrap_or(LADDER_WAIT_DEFAULT);
    let choices = [
        ("first_available", MethodChoice::FirstAvailable),
        ("all", MethodChoice::All),
        ("ladder", MethodChoice::Ladder { wait }),
    ];
    field.choice(&choices, problems).unwrap_or_default()
}

fn ladder_wait(field: &Field<'_>, problems: &mut Problems) -> Option<Duration> {
    let wait = field.parsed(values::duration, problems)?;
    if wait < LADDER_WAIT_MIN {
        field.fault("expected at least 1m: people need time to answer", problems);
    }
    Some(wait)
}
