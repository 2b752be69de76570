//! People, their names and their inboxes.

use hongbao_app::ports::{Message, StoreError};
use hongbao_domain::{
    MerchantId, PacketKey, PacketNo, UserId,
    message::{Following, MessageForm},
    risk::Standing,
};

use super::{Harness, town::Town};
use crate::{
    builders::{OTHER_APP, UserBuilder, a_merchant, a_user},
    clock::MORNING,
};

/// One human, two names, one wallet.
pub async fn one_subject_in_two_apps_is_one_wallet(h: &Harness) {
    let here = a_user("alice").in_store(h.store()).await;
    let there = a_user("a-1").in_app(OTHER_APP).with_subject("alice");
    assert_eq!(there.in_store(h.store()).await, here);
    assert_eq!(h.wallet_fen(here).await, 0);
}

/// An openid means somebody inside its app only (I-07).
pub async fn the_same_openid_in_two_apps_is_two_people(h: &Harness) {
    let here = a_user("alice").in_store(h.store()).await;
    let there = a_user("alice").in_app(OTHER_APP).with_subject("another");
    assert_ne!(there.in_store(h.store()).await, here);
}

/// What the host app says is remembered, and replaced when it says something else.
pub async fn registering_again_updates_a_person(h: &Harness) {
    let following = Following { since: Some(MORNING.plus_seconds(-3_600)), accepts_messages: true };
    let first = a_user("alice").following(following).registered(h.store()).await;
    assert_eq!(first.following, following);
    let again = a_user("alice")
        .shown_as("小爱")
        .with_standing(Standing::ThrowAway)
        .registered(h.store())
        .await;
    assert_eq!(again.user, first.user);
    let found = h.store.user(&first.person).await.expect("people are read");
    let found = found.expect("she was registered");
    assert_eq!((found.user, found.person), (first.user, first.person));
    assert_eq!(found.display_name, "小爱");
    assert_eq!(found.standing, Standing::ThrowAway);
    assert_eq!(found.following, Following::default());
}

/// New ones, somebody known, one human under two apps, and somebody who stands there twice.
pub async fn many_people_are_registered_together(h: &Harness) {
    let alice = a_user("alice").in_store(h.store()).await;
    let list = [
        a_user("bob"),
        a_user("alice").shown_as("小爱"),
        a_user("b-1").in_app(OTHER_APP).with_subject("bob"),
        a_user("carol"),
    ];
    let mut list: Vec<_> = list.iter().map(UserBuilder::new_user).collect();
    let registered = h.store.register_users(list.clone(), MORNING).await;
    let [bob, known, b_1, carol]: [_; 4] = registered.expect("they are").try_into().expect("four");
    assert_eq!((known.user, known.display_name.as_str()), (alice, "小爱"));
    assert_eq!(b_1.user, bob.user);
    assert!(carol.user != bob.user && carol.user != alice);
    assert_eq!(h.wallet_fen(carol.user).await, 0);
    list.extend([a_user("dave").new_user(), a_user("dave").shown_as("老戴").new_user()]);
    let again = h.store.register_users(list, MORNING).await.expect("they are registered again");
    assert_eq!(again.last().map(|dave| dave.display_name.as_str()), Some("老戴"));
    let mallory = a_user("carol").with_subject("mallory").new_user();
    let list = vec![a_user("erin").new_user(), mallory];
    let refused = h.store.register_users(list, MORNING).await;
    assert!(matches!(refused, Err(StoreError::Conflict { .. })), "{refused:?}");
    let erin = h.store.user(&a_user("erin").person()).await.expect("people are read");
    assert!(erin.is_some(), "those before the one that failed are registered");
}

/// A name cannot move to another wallet.
pub async fn a_person_keeps_the_subject(h: &Harness) {
    let alice = a_user("alice").registered(h.store()).await;
    a_user("bob").in_store(h.store()).await;
    for subject in ["bob", "somebody-new"] {
        let moved = a_user("alice").with_subject(subject).shown_as("Mallory");
        let result = h.store.register_user(moved.new_user(), MORNING).await;
        assert!(matches!(result, Err(StoreError::Conflict { .. })), "{result:?}");
    }
    let found = h.store.user(&alice.person).await.expect("people are read");
    let found = found.expect("she was registered");
    assert_eq!((found.user, found.display_name.as_str()), (alice.user, "ALICE"));
}

/// Nobody is nobody.
pub async fn somebody_who_was_never_registered_is_nothing(h: &Harness) {
    a_user("alice").in_store(h.store()).await;
    for stranger in [a_user("Alice"), a_user("alice").in_app(OTHER_APP)] {
        let found = h.store.user(&stranger.person()).await;
        assert!(found.expect("people are read").is_none());
    }
    let wallet = h.store.wallet(UserId::new(999_999)).await;
    assert_eq!(wallet.expect("wallets are read"), None);
}

/// Many names are looked up at once; who is not registered is left out.
pub async fn people_are_found_together(h: &Harness) {
    let alice = a_user("alice").registered(h.store()).await;
    let there = a_user("alice").in_app(OTHER_APP).registered(h.store()).await;
    let stranger = a_user("mallory").person();
    let asked = [&stranger, &alice.person, &there.person].map(Clone::clone);
    let found = h.store.users(asked.into()).await.expect("people are read");
    let found: Vec<_> = found.into_iter().map(|(name, record)| (name, record.user)).collect();
    let mut expected = [(alice.person, alice.user), (there.person, there.user)];
    expected.sort();
    assert_eq!(found, expected);
    assert!(h.store.users([stranger].into()).await.expect("people are read").is_empty());
}

fn message(merchant: MerchantId, user: UserId, no: u64, seconds: i64) -> Message {
    Message {
        user,
        packet: PacketKey { merchant, no: PacketNo::new(no) },
        sent_at: MORNING.plus_seconds(seconds),
        form: MessageForm::Template,
    }
}

/// By time, then by packet; one page after another.
pub async fn messages_are_listed_newest_first(h: &Harness) {
    let town = Town::new(h).await;
    let other = a_merchant().numbered(10_000_099).in_store(h.store()).await;
    let mine = |merchant, no, seconds| message(merchant, town.alice, no, seconds);
    let listed = [
        mine(town.merchant, 3, 60),
        mine(other, 1, 5),
        mine(town.merchant, 2, 5),
        mine(town.merchant, 1, 5),
        mine(town.merchant, 9, 0),
    ];
    let mut shuffled: Vec<Message> = listed.iter().rev().cloned().collect();
    shuffled.push(message(town.merchant, town.bob, 4, 5));
    let put = h.store.put_messages(&shuffled).await;
    put.expect("messages are put");
    let mut seen = Vec::new();
    loop {
        let before = seen.last().map(|message: &Message| (message.sent_at, message.packet));
        let page = h.store.messages(town.alice, before, 2).await;
        let page = page.expect("messages are read");
        if page.is_empty() {
            break;
        }
        assert!(page.len() <= 2);
        seen.extend(page);
    }
    assert_eq!(seen, listed);
}

/// Handing over twice shows once, in the form of the first time.
pub async fn a_message_that_is_there_stays_as_it_is(h: &Harness) {
    let town = Town::new(h).await;
    let first = message(town.merchant, town.alice, 1, 0);
    let again = Message { form: MessageForm::AntiFake, ..first.clone() };
    let next = message(town.merchant, town.alice, 2, 1);
    for messages in [vec![first.clone()], vec![again, next.clone()]] {
        let put = h.store.put_messages(&messages).await;
        put.expect("messages are put");
    }
    let listed = h.store.messages(town.alice, None, 10).await;
    assert_eq!(listed.expect("messages are read"), [next, first]);
}
