//! Who may do what for which company. Deny by default; [`authorize`] is the only way to a [`CompanyScope`].

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ids::{CompanyId, RoleId, UserId};

/// A customer of the host, isolated from all others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Company {
    /// Its id.
    pub id: CompanyId,
    /// Its name, for people.
    pub name: String,
    /// Which server holds its data; packets inherit it.
    pub server_name: String,
}

/// A person who works with the host.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// The id.
    pub id: UserId,
    /// The name, for people.
    pub name: String,
    /// The roles that the user has.
    pub roles: BTreeSet<RoleId>,
    /// A suspended user may do nothing.
    pub suspended: bool,
}

impl fmt::Debug for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("User").field("id", &self.id).field("roles", &self.roles).finish_non_exhaustive()
    }
}

/// A set of permitted actions on a list of companies. A company that is not listed may not be touched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Role {
    /// The id.
    pub id: RoleId,
    /// The name, for people.
    pub name: String,
    /// What it permits.
    pub actions: BTreeSet<Action>,
    /// For which companies.
    pub companies: BTreeSet<CompanyId>,
}

/// What can be done for a company.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Create and edit campaigns.
    EditCampaign,
    /// Activate, pause, resume, cancel and remove campaigns and packets.
    RunCampaign,
    /// Upload data.
    Ingest,
    /// Send on demand: rows, or a text of the caller's own; and see what became of it.
    SendOnDemand,
    /// See counts.
    ViewReports,
    /// See single messages and why they were sent or not.
    ViewMessages,
    /// Change the unsubscribe lists.
    ManageUnsubscribes,
    /// Map, plan, enqueue, dispatch and settle: what workers do.
    Operate,
    /// Take in dispositions and incoming messages: what gateways do.
    Receive,
}

impl Action {
    /// Every action.
    pub const ALL: [Self; 9] = [
        Self::EditCampaign,
        Self::RunCampaign,
        Self::Ingest,
        Self::SendOnDemand,
        Self::ViewReports,
        Self::ViewMessages,
        Self::ManageUnsubscribes,
        Self::Operate,
        Self::Receive,
    ];
}

/// Who acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Actor {
    /// A person, with the grants of their roles.
    User(UserId),
    /// A process of the host that does the library's work for every company.
    Worker,
    /// A process of the host that takes callbacks from providers.
    Gateway,
    /// The operator of the host: makes companies, users and roles, releases packets after a restore, and nothing else.
    Operator,
}

/// What a user is granted: the roles that were found for them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Grants {
    /// The roles; empty for a user who is unknown or suspended.
    pub roles: Vec<Role>,
}

/// The proof that an actor may do one action for one company. Only [`authorize`] makes it; every service asks for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CompanyScope {
    company: CompanyId,
    actor: Actor,
    action: Action,
}

impl CompanyScope {
    /// The actor.
    pub const fn actor(&self) -> Actor {
        self.actor
    }

    /// The company, if the scope is for `action`.
    ///
    /// # Errors
    ///
    /// [`Denied`] if the scope was made for another action: a right to look is no right to send.
    pub fn require(&self, action: Action) -> Result<CompanyId, Denied> {
        if self.action == action { Ok(self.company) } else { Err(Denied) }
    }
}

/// The proof that an actor may work across companies: sweeps, restores, and making companies, users and roles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PlatformScope {
    actor: Actor,
}

impl PlatformScope {
    /// Sweeps are the workers' business.
    ///
    /// # Errors
    ///
    /// [`Denied`] if the actor is no worker.
    pub fn require_worker(&self) -> Result<(), Denied> {
        if self.actor == Actor::Worker { Ok(()) } else { Err(Denied) }
    }

    /// Companies, users, roles and restores are the operator's business.
    ///
    /// # Errors
    ///
    /// [`Denied`] if the actor is not the operator.
    pub fn require_operator(&self) -> Result<(), Denied> {
        if self.actor == Actor::Operator { Ok(()) } else { Err(Denied) }
    }
}

/// The actor may not do this. Says no more: a company that does not exist answers the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("access denied: no role of the actor grants this action for this company")]
pub struct Denied;

/// Grants `action` for `company`, or denies it.
///
/// A user needs a role that lists both. Workers may [`Action::Operate`], gateways may [`Action::Receive`]; neither may do
/// anything else, and the operator nothing for a company.
///
/// # Errors
///
/// [`Denied`] unless a grant says otherwise.
///
/// ```
/// use reminderly_core::domain::access::{Action, Actor, Grants, authorize};
/// # use reminderly_core::ids::{CompanyId, IdSourceExt, SeededIds};
/// # let company: CompanyId = SeededIds::new(1).next(chrono::DateTime::UNIX_EPOCH);
///
/// assert!(authorize(Actor::Worker, Action::Operate, company, &Grants::default()).is_ok());
/// assert!(authorize(Actor::Worker, Action::ViewMessages, company, &Grants::default()).is_err());
/// ```
pub fn authorize(
    actor: Actor,
    action: Action,
    company: CompanyId,
    grants: &Grants,
) -> Result<CompanyScope, Denied> {
    let granted = match actor {
        Actor::User(_) => grants
            .roles
            .iter()
            .any(|role| role.actions.contains(&action) && role.companies.contains(&company)),
        Actor::Worker => action == Action::Operate,
        Actor::Gateway => action == Action::Receive,
        Actor::Operator => false,
    };
    if granted { Ok(CompanyScope { company, actor, action }) } else { Err(Denied) }
}

/// Grants work across companies to workers and the operator.
///
/// # Errors
///
/// [`Denied`] for users and gateways, whatever their roles.
pub fn authorize_platform(actor: Actor) -> Result<PlatformScope, Denied> {
    match actor {
        Actor::Worker | Actor::Operator => Ok(PlatformScope { actor }),
        Actor::User(_) | Actor::Gateway => Err(Denied),
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::ids::{IdSourceExt as _, SeededIds};

    fn role(ids: &SeededIds, actions: &[Action], companies: &[CompanyId]) -> Role {
        Role {
            id: ids.next(DateTime::UNIX_EPOCH),
            name: "Front desk".to_owned(),
            actions: actions.iter().copied().collect(),
            companies: companies.iter().copied().collect(),
        }
    }

    #[test]
    fn a_user_may_do_what_one_role_lists_for_that_company() {
        let ids = SeededIds::new(1);
        let [here, there, elsewhere]: [CompanyId; 3] = [(); 3].map(|()| ids.next(DateTime::UNIX_EPOCH));
        let user = Actor::User(ids.next(DateTime::UNIX_EPOCH));
        let grants = Grants {
            roles: vec![
                role(&ids, &[Action::EditCampaign], &[here]),
                role(&ids, &[Action::ViewMessages, Action::Operate], &[there]),
            ],
        };
        let permitted = |action, company| authorize(user, action, company, &grants).is_ok();
        for action in Action::ALL {
            assert_eq!(permitted(action, here), action == Action::EditCampaign, "{action:?}");
            let there_too = matches!(action, Action::ViewMessages | Action::Operate);
            assert_eq!(permitted(action, there), there_too, "{action:?}");
            assert!(!permitted(action, elsewhere), "{action:?}");
        }
    }

    #[test]
    fn processes_may_do_their_own_work_whatever_roles_there_are() {
        let ids = SeededIds::new(1);
        let company = ids.next(DateTime::UNIX_EPOCH);
        let grants = Grants { roles: vec![role(&ids, &Action::ALL, &[company])] };
        for action in Action::ALL {
            let permitted = |actor| authorize(actor, action, company, &grants).is_ok();
            assert_eq!(permitted(Actor::Worker), action == Action::Operate, "{action:?}");
            assert_eq!(permitted(Actor::Gateway), action == Action::Receive, "{action:?}");
            assert!(!permitted(Actor::Operator), "{action:?}");
        }
    }

    #[test]
    fn a_scope_is_good_for_its_action_only() {
        let company = SeededIds::new(1).next(DateTime::UNIX_EPOCH);
        let scope = authorize(Actor::Worker, Action::Operate, company, &Grants::default()).unwrap();
        assert_eq!(scope.actor(), Actor::Worker);
        for action in Action::ALL {
            let expected = if action == Action::Operate { Ok(company) } else { Err(Denied) };
            assert_eq!(scope.require(action), expected, "{action:?}");
        }
    }

    #[test]
    fn only_workers_and_the_operator_work_across_companies_each_at_their_own() {
        let user = Actor::User(SeededIds::new(1).next(DateTime::UNIX_EPOCH));
        for actor in [user, Actor::Gateway] {
            assert_eq!(authorize_platform(actor), Err(Denied), "{actor:?}");
        }
        let of = |actor| {
            let scope = authorize_platform(actor).unwrap();
            (scope.require_worker().is_ok(), scope.require_operator().is_ok())
        };
        assert_eq!((of(Actor::Worker), of(Actor::Operator)), ((true, false), (false, true)));
    }

    #[test]
    fn a_users_name_is_not_shown() {
        let id = SeededIds::new(1).next(DateTime::UNIX_EPOCH);
        let user = User { id, name: "Ann Smith".to_owned(), roles: BTreeSet::new(), suspended: false };
        let shown = format!("{user:?}");
        assert!(shown.contains(&format!("{id:?}")) && !shown.contains("Ann"), "{shown}");
    }
}
