#![cfg(feature = "memory")]

use std::collections::BTreeSet;

use chrono::DateTime;
use futures::executor::block_on;

use super::*;
use crate::ids::{IdSourceExt as _, SeededIds, UserId};
use crate::memory::MemoryStore;

/// A user whose role lets them see the messages of one company.
struct Front {
    access: Access,
    company: Company,
    other: CompanyId,
    role: Role,
    user: User,
}

impl Front {
    fn new() -> Self {
        let (ids, at) = (SeededIds::new(1), DateTime::UNIX_EPOCH);
        let company = Company { id: ids.next(at), name: "Clinic".to_owned(), server_name: "main".to_owned() };
        let role = Role {
            id: ids.next(at),
            name: "Front desk".to_owned(),
            actions: BTreeSet::from([Action::ViewMessages]),
            companies: BTreeSet::from([company.id]),
        };
        let user = User {
            id: ids.next(at),
            name: "Ann".to_owned(),
            roles: BTreeSet::from([role.id]),
            suspended: false,
        };
        let access = Access { store: Arc::new(MemoryStore::new()) };
        Self { access, company, other: ids.next(at), role, user }
    }

    fn save(&self) {
        let operator = self.access.authorize_platform(Actor::Operator).unwrap();
        block_on(async {
            self.access.save_company(&operator, &self.company).await.unwrap();
            self.access.save_role(&operator, &self.role).await.unwrap();
            self.access.save_user(&operator, &self.user).await.unwrap();
        });
    }

    fn may(&self, user: UserId, action: Action, company: CompanyId) -> bool {
        match block_on(self.access.authorize(Actor::User(user), action, company)) {
            Ok(scope) => scope.require(action) == Ok(company),
            Err(ServiceError::Denied(_)) => false,
            Err(error) => panic!("{error:?}"),
        }
    }
}

#[test]
fn a_user_may_do_what_their_stored_roles_list_and_a_suspended_one_nothing() {
    let mut front = Front::new();
    let (user, company) = (front.user.id, front.company.id);
    assert!(!front.may(user, Action::ViewMessages, company), "nobody has stored them");
    front.save();
    assert!(front.may(user, Action::ViewMessages, company));
    assert!(!front.may(user, Action::RunCampaign, company));
    assert!(!front.may(user, Action::ViewMessages, front.other));
    let stored = block_on(front.access.store.company(company)).unwrap();
    assert_eq!(stored, Some(front.company.clone()));
    front.user.suspended = true;
    front.save();
    assert!(!front.may(user, Action::ViewMessages, company));
}

#[test]
fn only_the_operator_keeps_companies_users_and_roles() {
    let front = Front::new();
    let worker = front.access.authorize_platform(Actor::Worker).unwrap();
    let refused = block_on(async {
        [
            front.access.save_company(&worker, &front.company).await,
            front.access.save_role(&worker, &front.role).await,
            front.access.save_user(&worker, &front.user).await,
        ]
    });
    assert!(refused.iter().all(|refusal| matches!(refusal, Err(ServiceError::Denied(_)))), "{refused:?}");
    let gateway = front.access.authorize_platform(Actor::Gateway);
    assert!(matches!(gateway, Err(ServiceError::Denied(_))), "{gateway:?}");
}
