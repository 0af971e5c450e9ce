//! `messages` and `methods`: the texts, and which of them are used.

use super::super::definition::{
    AnswersUse, EmailTemplate, Mapping, Messages, MethodChoice, Methods, SmsTemplate,
};
use super::super::problem::Problems;
use super::node::Node;
use super::reader::{Field, LATER, ObjectReader};
use crate::domain::contact_method::ContactMethod;
use crate::domain::template::TEMPLATE_BYTES_MAX;

pub(super) fn messages(field: Option<Field<'_>>, problems: &mut Problems) -> Messages {
    let Some(field) = field else { return Messages::default() };
    let Some(mut object) = field.object(problems) else { return Messages::default() };
    let sms = object.optional("sms");
    let email = object.optional("email");
    if sms.is_none() && email.is_none() {
        field.fault("expected texts for \"sms\", \"email\" or both", problems);
    }
    object.refuse("phone", problems);
    object.finish(problems);
    Messages {
        sms: sms.map(|field| sms_template(&field, problems)),
        email: email.map(|field| email_template(&field, problems)),
    }
}

fn sms_template(field: &Field<'_>, problems: &mut Problems) -> SmsTemplate {
    let Some(mut object) = field.object(problems) else { return SmsTemplate { text: String::new() } };
    let text = required_text(&mut object, "text", problems);
    object.finish(problems);
    SmsTemplate { text }
}

fn email_template(field: &Field<'_>, problems: &mut Problems) -> EmailTemplate {
    let Some(mut object) = field.object(problems) else {
        return EmailTemplate { subject: String::new(), text: String::new(), html: None };
    };
    let subject = required_text(&mut object, "subject", problems);
    let text = required_text(&mut object, "text", problems);
    let html = object.optional("html").map(|field| text_of(&field, problems));
    object.refuse_unless("calendar_invite", "", |node| matches!(node, Node::Bool(false)), problems);
    object.finish(problems);
    if subject.contains(['\r', '\n']) {
        problems.add(&format!("{}.subject", field.path), "expected one line");
    }
    EmailTemplate { subject, text, html }
}

fn required_text(object: &mut ObjectReader<'_>, key: &'static str, problems: &mut Problems) -> String {
    object.required(key, problems).map(|field| text_of(&field, problems)).unwrap_or_default()
}

/// A text: a string, or a map by language that has one language in this release.
pub(super) fn text_of(field: &Field<'_>, problems: &mut Problems) -> String {
    let (path, text) = match field.node {
        Node::Object(_) => {
            let members = field.members(problems).unwrap_or_default();
            let [(_, member)] = members.as_slice() else {
                let message = if members.is_empty() {
                    "expected a text".to_owned()
                } else {
                    format!("texts in more than one language are {LATER}")
                };
                field.fault(message, problems);
                return String::new();
            };
            (member.clone(), member.text(problems))
        }
        _ => (field.clone(), field.text(problems)),
    };
    let Some(text) = text else { return String::new() };
    if text.trim().is_empty() {
        path.fault("the text is empty", problems);
    } else if text.len() > TEMPLATE_BYTES_MAX {
        path.fault(format!("the text has more than {TEMPLATE_BYTES_MAX} bytes"), problems);
        return String::new();
    }
    text.to_owned()
}

pub(super) fn methods(
    field: Option<Field<'_>>,
    messages: &Messages,
    mapping: &Mapping,
    problems: &mut Problems,
) -> Methods {
    let mut methods =
        Methods { order: Vec::new(), choice: MethodChoice::default(), answers_model: AnswersUse::default() };
    let mut order_path = None;
    if let Some(mut object) = field.and_then(|field| field.object(problems)) {
        if let Some(field) = object.optional("order") {
            methods.order = order(&field, messages, problems);
            order_path = Some(field.path);
        }
        if let Some(field) = object.optional("use") {
            methods.choice = choice(&field, problems);
        }
        if let Some(field) = object.optional("answers_model") {
            methods.answers_model = answers_model(&field, methods.choice, problems);
        }
        object.refuse("ladder_wait", problems);
        object.finish(problems);
    }
    if order_path.is_none() {
        let texts =
            [(ContactMethod::Sms, messages.sms.is_some()), (ContactMethod::Email, messages.email.is_some())];
        methods.order =
            texts.into_iter().filter(|(_, has_text)| *has_text).map(|(method, _)| method).collect();
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
        if matches!(item.node, Node::Text(text) if text == "phone") {
            item.fault(format!("\"phone\" is {LATER}"), problems);
            continue;
        }
        let Some(method) =
            item.choice(&[("sms", ContactMethod::Sms), ("email", ContactMethod::Email)], problems)
        else {
            continue;
        };
        let has_text = match method {
            ContactMethod::Sms => messages.sms.is_some(),
            _ => messages.email.is_some(),
        };
        if order.contains(&method) {
            item.fault("stands twice", problems);
        } else if has_text {
            order.push(method);
        } else {
            item.fault(format!("there is no text for it: give messages.{method}"), problems);
        }
    }
    order
}

fn answers_model(field: &Field<'_>, choice: MethodChoice, problems: &mut Problems) -> AnswersUse {
    if matches!(field.node, Node::Text(text) if text == "order") {
        field.fault(format!("\"order\" is {LATER}; give \"off\" or \"first_method\""), problems);
        return AnswersUse::default();
    }
    let choices = [("off", AnswersUse::Off), ("first_method", AnswersUse::FirstMethod)];
    let wanted = field.choice(&choices, problems).unwrap_or_default();
    if wanted == AnswersUse::FirstMethod && choice != MethodChoice::FirstAvailable {
        field
            .fault("goes with \"use\": \"first_available\" only: else every method is used anyway", problems);
    }
    wanted
}

fn choice(field: &Field<'_>, problems: &mut Problems) -> MethodChoice {
    if matches!(field.node, Node::Text(text) if text == "ladder") {
        field.fault(format!("\"ladder\" is {LATER}; give \"first_available\" or \"all\""), problems);
        return MethodChoice::default();
    }
    let choices = [("first_available", MethodChoice::FirstAvailable), ("all", MethodChoice::All)];
    field.choice(&choices, problems).unwrap_or_default()
}
