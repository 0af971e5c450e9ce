//! Who gets a scope, and who does not.

use futures::executor::block_on;
use reminderly_core::domain::access::{Action, Actor, Role, User};
use reminderly_core::ids::{CompanyId, IdSourceExt as _, UserId};
use reminderly_core::services::Access;
use reminderly_tests::world::{Setup, World};

/// A user with a role that permits `actions` for `companies`.
fn user(world: &World, actions: &[Action], companies: &[CompanyId], suspended: bool) -> UserId {
    let access = Access::new(&world.ports);
    let operator = access.authorize_platform(Actor::Operator).unwrap();
    let at = world.now();
    let role = Role {
        id: world.ports.ids.next(at),
        name: String::new(),
        actions: actions.iter().copied().collect(),
        companies: companies.iter().copied().collect(),
    };
    let user = User { id: world.ports.ids.next(at), name: String::new(), roles: [role.id].into(), suspended };
    block_on(access.save_role(&operator, &role)).unwrap();
    block_on(access.save_user(&operator, &user)).unwrap();
    user.id
}

#[test]
fn nobody_without_a_grant_gets_a_scope() {
    let world = World::new(&Setup::default());
    let [company, other] = [world.company(), world.company()];
    let access = Access::new(&world.ports);
    let may = |user, action, company| block_on(access.authorize(Actor::User(user), action, company)).is_ok();
    for action in Action::ALL {
        let others: Vec<Action> = Action::ALL.into_iter().filter(|other| *other != action).collect();
        assert!(may(user(&world, &[action], &[company], false), action, company));
        for (who, why) in [
            (world.ports.ids.next(world.now()), "is unknown"),
            (user(&world, &[], &[company], false), "has no actions"),
            (user(&world, &others, &[company], false), "has other actions"),
            (user(&world, &Action::ALL, &[], false), "has no companies"),
            (user(&world, &Action::ALL, &[other], false), "is another company's"),
            (user(&world, &Action::ALL, &[company, other], true), "is suspended"),
        ] {
            assert!(!may(who, action, company), "{action:?} by a user who {why}");
        }
        let nowhere = world.ports.ids.next(world.now());
        assert!(!may(user(&world, &Action::ALL, &[company], false), action, nowhere));
    }
}
