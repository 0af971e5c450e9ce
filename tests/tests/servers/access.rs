//! Companies, users and roles.

use futures::future::join_all;
use reminderly_core::domain::access::{Action, Company, Grants, Role, User};
use reminderly_core::ports::store::AccessStore as _;
use reminderly_mysql::{MySqlStore, ServerKind};
use rstest::rstest;

use crate::database::{block_on, database, migrated};
use crate::values::{company, id, role, user};

#[rstest]
#[case::mariadb(ServerKind::MariaDb)]
#[case::mysql(ServerKind::MySql)]
fn what_is_saved_is_read_back_and_replaced(#[case] kind: ServerKind) {
    let Some(database) = database(kind) else { return };
    block_on(async {
        let store = migrated(&database).await;
        let saved = company();
        assert_eq!(store.company(saved.id).await.expect("read"), None);
        store.save_company_across_companies(&saved).await.expect("saved");
        let renamed = Company { name: "Jones".to_owned(), ..saved.clone() };
        assert_eq!(store.company(saved.id).await.expect("read"), Some(saved));
        store.save_company_across_companies(&renamed).await.expect("saved");
        assert_eq!(store.company(renamed.id).await.expect("read"), Some(renamed));
    });
}

#[rstest]
#[case::mariadb(ServerKind::MariaDb)]
#[case::mysql(ServerKind::MySql)]
fn grants_are_the_roles_of_a_user_who_is_not_suspended(#[case] kind: ServerKind) {
    let Some(database) = database(kind) else { return };
    block_on(async {
        let store = migrated(&database).await;
        let (one, nowhere) = (role(Action::Ingest, &[id(), id()]), role(Action::Operate, &[]));
        let other = role(Action::Receive, &[id()]);
        save(&store, &[&one, &nowhere, &other]).await;
        let ann = user(&[one.id, nowhere.id, id()]);
        store.save_user_across_companies(&ann).await.expect("saved");
        let mut both = vec![one, nowhere];
        both.sort_by_key(|role| role.id);
        assert_eq!(grants(&store, &ann).await.roles, both);
        let suspended = User { suspended: true, ..ann.clone() };
        store.save_user_across_companies(&suspended).await.expect("saved");
        assert_eq!(grants(&store, &ann).await, Grants::default());
        let moved = User { roles: [other.id].into(), ..ann };
        store.save_user_across_companies(&moved).await.expect("saved");
        let narrowed = Role { companies: [].into(), ..other };
        save(&store, &[&narrowed]).await;
        assert_eq!(grants(&store, &moved).await.roles, [narrowed]);
        assert_eq!(grants(&store, &user(&[])).await, Grants::default());
    });
}

/// Whoever saves at the same time, one of them has saved all.
#[rstest]
#[case::mariadb(ServerKind::MariaDb)]
#[case::mysql(ServerKind::MySql)]
fn a_user_is_never_half_saved(#[case] kind: ServerKind) {
    let Some(database) = database(kind) else { return };
    block_on(async {
        let store = migrated(&database).await;
        let roles: Vec<Role> = (0..8).map(|_| role(Action::Ingest, &[id()])).collect();
        save(&store, &roles.iter().collect::<Vec<_>>()).await;
        let ann = user(&[]);
        let saved: Vec<User> = roles
            .windows(2)
            .map(|pair| User { roles: pair.iter().map(|role| role.id).collect(), ..ann.clone() })
            .collect();
        for _ in 0..10 {
            let saves = saved.iter().map(|user| store.save_user_across_companies(user));
            join_all(saves).await.into_iter().for_each(|outcome| outcome.expect("saved"));
            let found = grants(&store, &ann).await.roles.iter().map(|role| role.id).collect();
            assert!(saved.iter().any(|user| user.roles == found), "{found:?}");
        }
    });
}

async fn save(store: &MySqlStore, roles: &[&Role]) {
    for role in roles {
        store.save_role_across_companies(role).await.expect("saved");
    }
}

async fn grants(store: &MySqlStore, user: &User) -> Grants {
    store.grants_across_companies(user.id).await.expect("read")
}

/// What the server says of a value that it refuses shows the value.
#[rstest]
#[case::mariadb(ServerKind::MariaDb)]
#[case::mysql(ServerKind::MySql)]
fn a_value_that_is_refused_is_not_shown(#[case] kind: ServerKind) {
    let Some(database) = database(kind) else { return };
    block_on(async {
        let store = migrated(&database).await;
        let long = Company { name: "Smith".repeat(20_000), ..company() };
        let error = store.save_company_across_companies(&long).await.expect_err("it is too long");
        let said = format!("{error:?}");
        assert!(said.contains("1406") && !said.contains("Smith"), "{said}");
        let other = User { name: long.name, ..user(&[]) };
        let error = store.save_user_across_companies(&other).await.expect_err("it is too long");
        assert!(!format!("{error:?}").contains("Smith"));
    });
}
