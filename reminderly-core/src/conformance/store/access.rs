//! Companies, users, roles and grants.

use std::collections::BTreeSet;

use super::bench::{Answered as _, Bench};
use super::values::company;
use crate::domain::access::{Action, Company, Grants, Role, User};
use crate::ids::{CompanyId, RoleId, UserId};

/// A company reads back as it was saved.
pub async fn a_saved_company_is_read_back(bench: &Bench) {
    let found = bench.store.company(bench.company).await.answered();
    assert_eq!(found, Some(company(bench.company)));
}

/// Saving again replaces the company and keeps what it has.
pub async fn a_company_saved_again_keeps_its_data(bench: &Bench) {
    let renamed = Company { name: "Jones Clinic".to_owned(), ..company(bench.company) };
    bench.store.save_company_across_companies(&renamed).await.answered();
    assert_eq!(bench.store.company(bench.company).await.answered(), Some(renamed));
    assert!(bench.store.campaign(bench.company, bench.campaign).await.answered().is_some());
}

/// Nobody is not an error.
pub async fn an_unknown_company_is_none(bench: &Bench) {
    assert_eq!(bench.store.company(bench.id::<CompanyId>()).await.answered(), None);
}

/// A user has the roles that the user names, as they are now.
pub async fn grants_are_the_roles_of_the_user(bench: &Bench) {
    let (one, two, other) =
        (role(bench, Action::Ingest), role(bench, Action::Operate), role(bench, Action::Receive));
    for role in [&one, &two, &other] {
        bench.store.save_role_across_companies(role).await.answered();
    }
    let user = user(bench, &[one.id, two.id]);
    bench.store.save_user_across_companies(&user).await.answered();
    let mut found = bench.store.grants_across_companies(user.id).await.answered().roles;
    found.sort_by_key(|role| role.id);
    let mut expected = vec![one, two];
    expected.sort_by_key(|role| role.id);
    assert_eq!(found, expected);
}

/// Saving a role again changes what its users may do.
pub async fn a_role_saved_again_replaces_its_grants(bench: &Bench) {
    let before = role(bench, Action::Ingest);
    let user = user(bench, &[before.id]);
    bench.store.save_role_across_companies(&before).await.answered();
    bench.store.save_user_across_companies(&user).await.answered();
    let after = Role { actions: BTreeSet::from([Action::ViewReports]), ..before };
    bench.store.save_role_across_companies(&after).await.answered();
    let grants = bench.store.grants_across_companies(user.id).await.answered();
    assert_eq!(grants, Grants { roles: vec![after] });
}

/// Saving a user again changes the roles.
pub async fn a_user_saved_again_has_the_new_roles(bench: &Bench) {
    let (one, two) = (role(bench, Action::Ingest), role(bench, Action::Operate));
    bench.store.save_role_across_companies(&one).await.answered();
    bench.store.save_role_across_companies(&two).await.answered();
    let before = user(bench, &[one.id]);
    bench.store.save_user_across_companies(&before).await.answered();
    let after = User { roles: BTreeSet::from([two.id]), ..before };
    bench.store.save_user_across_companies(&after).await.answered();
    let grants = bench.store.grants_across_companies(after.id).await.answered();
    assert_eq!(grants, Grants { roles: vec![two] });
}

/// Suspension takes everything, and its end gives it back.
pub async fn a_suspended_user_has_no_grants(bench: &Bench) {
    let role = role(bench, Action::Ingest);
    bench.store.save_role_across_companies(&role).await.answered();
    let suspended = User { suspended: true, ..user(bench, &[role.id]) };
    bench.store.save_user_across_companies(&suspended).await.answered();
    assert_eq!(bench.store.grants_across_companies(suspended.id).await.answered(), Grants::default());
    let back = User { suspended: false, ..suspended };
    bench.store.save_user_across_companies(&back).await.answered();
    assert_eq!(bench.store.grants_across_companies(back.id).await.answered().roles, [role]);
}

/// Nobody has no grants.
pub async fn an_unknown_user_has_no_grants(bench: &Bench) {
    let grants = bench.store.grants_across_companies(bench.id::<UserId>()).await.answered();
    assert_eq!(grants, Grants::default());
}

fn role(bench: &Bench, action: Action) -> Role {
    Role {
        id: bench.id(),
        name: "Front desk".to_owned(),
        actions: BTreeSet::from([action]),
        companies: BTreeSet::from([bench.company]),
    }
}

fn user(bench: &Bench, roles: &[RoleId]) -> User {
    User { id: bench.id(), name: "Ann".to_owned(), roles: roles.iter().copied().collect(), suspended: false }
}
