//! Explain: every decision on a message, with its rule and inputs.

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::{Value, json};

use crate::domain::access::{Action, CompanyScope};
use crate::domain::attempt::Attempt;
use crate::domain::message::{Message, MessageRecord, Origin};
use crate::domain::message_status::{MessageEvent, MessageStatus, Transition};
use crate::ids::{MessageId, PacketId};
use crate::ports::store::Store;
use crate::services::offloaded::refuse_if_offloaded;
use crate::services::{Ports, ServiceError};

/// One decision on a message. Holds no personal data.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Decision {
    /// The message.
    pub message: MessageId,
    /// When it was made.
    pub at: DateTime<Utc>,
    /// By which rule.
    pub rule: &'static str,
    /// What was decided, for people.
    pub verdict: String,
    /// What it was decided from.
    pub inputs: Value,
}

/// Every decision on a message: why it was sent, why not, and why then.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explanation {
    /// The message.
    pub message: MessageId,
    /// Where it stands.
    pub status: MessageStatus,
    /// The decisions, first to last.
    pub decisions: Vec<Decision>,
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "message {} is {}", self.message, self.status)?;
        for decision in &self.decisions {
            writeln!(f, "{}  {:<14} {}", decision.at.format("%F %T"), decision.rule, decision.verdict)?;
        }
        Ok(())
    }
}

/// Explains messages.
#[derive(Debug, Clone)]
pub struct Explain {
    store: Arc<dyn Store>,
}

impl Explain {
    /// The service over these ports.
    pub fn new(ports: &Ports) -> Self {
        Self { store: Arc::clone(&ports.store) }
    }

    /// Every decision on a message.
    ///
    /// # Errors
    ///
    /// [`ServiceError::NotFound`], [`ServiceError::WrongState`] if the packet was offloaded, [`ServiceError::Denied`], [`ServiceError::Store`].
    pub async fn message(
        &self,
        scope: &CompanyScope,
        packet: PacketId,
        id: MessageId,
    ) -> Result<Explanation, ServiceError> {
        let company = scope.require(Action::ViewMessages)?;
        let missing = ServiceError::NotFound { what: "message" };
        refuse_if_offloaded(&*self.store, company, packet).await?;
        let record = self.store.message(company, packet, id).await?;
        let history = self.store.history(company, packet, id).await?;
        let attempts = self.store.attempts(company, packet, id).await?;
        refuse_if_offloaded(&*self.store, company, packet).await?;
        let record = record.ok_or(missing)?;
        let mut decisions = planning(&record);
        decisions.extend(history.iter().map(|transition| step(&record.message, transition, &attempts)));
        Ok(Explanation { message: id, status: record.state.status, decisions })
    }
}

/// What planning decided.
fn planning(record: &MessageRecord) -> Vec<Decision> {
    let message = &record.message;
    let decision = |rule, verdict, inputs| Decision {
        message: message.id,
        at: message.created_at,
        rule,
        verdict,
        inputs,
    };
    let mut decisions = vec![match &message.origin {
        Origin::Row { row, entry } => decision(
            "origin",
            format!("row {row}, entry {entry} of schedule.send"),
            json!({ "row": row, "entry": entry }),
        ),
        Origin::Correction { row, of } => decision(
            "origin",
            format!("row {row}: corrects what {of} said about the appointment"),
            json!({ "row": row, "of": of }),
        ),
        Origin::Household { entry, members } => {
            let rows: Vec<_> = members.iter().map(|member| member.row).collect();
            let list: Vec<String> = rows.iter().map(ToString::to_string).collect();
            let messages: Vec<_> = members.iter().map(|member| member.message).collect();
            decision(
                "origin",
                format!(
                    "rows {}, entry {entry} of schedule.send: one message for the household",
                    list.join(", ")
                ),
                json!({ "rows": rows, "entry": entry, "messages": messages }),
            )
        }
        Origin::Reply { incoming } => decision(
            "origin",
            "answers a message from the person".to_owned(),
            json!({ "incoming": incoming }),
        ),
    }];
    if let (Some(language), Some(_)) = (&message.language, &message.content) {
        let verdict = format!("its text is in \"{language}\"");
        decisions.push(decision("language", verdict, json!({ "language": language })));
    }
    if let Some(answers) = message.trace.as_ref().and_then(|trace| trace.answers) {
        decisions.push(decision("answers_model", answers.to_string(), json!(answers)));
    }
    if let Some(trace) = &message.trace {
        let inputs = serde_json::to_value(trace).unwrap_or(Value::Null);
        for (rule, sentence) in trace.sentences() {
            decisions.push(decision(rule.as_str(), sentence, inputs.clone()));
        }
    }
    if let Some(trace) = &message.trace
        && let Some(sentence) = trace.hour_sentence()
    {
        decisions.push(decision("answers_model", sentence, json!(trace.hour)));
    }
    decisions.push(match (record.state.planned_at, &record.state.detail) {
        (Some(at), _) => {
            decision("plan", format!("planned for {}", at.format("%F %T UTC")), json!({ "planned_at": at }))
        }
        (None, Some(reason)) => {
            decision("plan", format!("skipped: {reason}"), json!({ "reason": reason.to_string() }))
        }
        (None, None) => decision("plan", "no instant".to_owned(), Value::Null),
    });
    decisions
}

/// What a transition decided.
fn step(message: &Message, transition: &Transition, attempts: &[Attempt]) -> Decision {
    let attempt = attempts.iter().find(|attempt| attempt.epoch == transition.epoch);
    let mut inputs = json!({
        "from": transition.from,
        "to": transition.to,
        "event": transition.event,
        "reason": transition.reason,
    });
    if let (Value::Object(inputs), Some(attempt)) = (&mut inputs, attempt) {
        inputs.insert("attempt".to_owned(), json!(attempt.id));
        inputs.insert("epoch".to_owned(), json!(attempt.epoch));
        inputs.insert("provider".to_owned(), json!(attempt.provider));
        if transition.event == MessageEvent::Claimed {
            inputs.insert("start_by".to_owned(), json!(attempt.start_by));
            inputs.insert("answer_by".to_owned(), json!(attempt.answer_by));
        }
    }
    Decision {
        message: message.id,
        at: transition.at,
        rule: transition.event.as_str(),
        verdict: format!("{} → {}: {}", transition.from, transition.to, transition.reason),
        inputs,
    }
}
