//! Merchants: settings, keys, certificates.

use std::net::{IpAddr, Ipv4Addr};

use hongbao_app::ports::{Certificate, MerchantRecord, NewCertificate, StoreError};
use hongbao_domain::{
    MerchantId,
    merchant::{AmountRange, AppKind, Book, FundingAccount, Recharge, Scene, SceneTerms},
};

use super::Harness;
use crate::{
    builders::{OTHER_APP, a_merchant, a_record, fen, merchant_id, reference},
    clock::MORNING,
};

async fn record(h: &Harness, id: MerchantId) -> MerchantRecord {
    let found = h.store.merchant(id).await.expect("merchants are read");
    found.expect("the merchant was made")
}

/// Every setting, an empty book, and the sealed key.
pub async fn a_merchant_reads_back_as_it_was_made(h: &Harness) {
    let scene = SceneTerms {
        scene: Scene::LotteryPrizes,
        amount: AmountRange { min: fen(30), max: fen(499_900) },
    };
    let builder = a_merchant().sandbox().provider().bound_to(OTHER_APP, AppKind::MobileApp).with(
        |settings| {
            settings.name = "红灯笼 Tea".into();
            settings.md5_allowed = true;
            settings.expiry_seconds = 3_600;
            settings.product.scenes.push(scene);
            let ip = Ipv4Addr::new(192, 0, 2, 1);
            settings.product.call_ips.push(IpAddr::V4(ip));
        },
    );
    let id = builder.clone().in_store(h.store()).await;
    let found = record(h, id).await;
    let new = builder.new_merchant();
    assert_eq!(*found.merchant.settings, new.settings);
    assert_eq!(found.merchant.book, Book::default());
    assert_eq!(found.sealed_key, new.sealed_key);
    let nobody = h.store.merchant(merchant_id(77_777_777)).await;
    assert!(nobody.expect("merchants are read").is_none());
}

/// The first one keeps it.
pub async fn a_merchant_number_is_given_once(h: &Harness) {
    let id = a_merchant().with_money(500).in_store(h.store()).await;
    let thief = a_merchant().with(|settings| settings.name = "Thief".into());
    let result = h.store.create_merchant(thief.new_merchant(), a_record(Some(id))).await;
    assert!(matches!(result, Err(StoreError::Conflict { .. })), "{result:?}");
    let found = record(h, id).await.merchant;
    assert_eq!(found.settings.name, "Lantern Tea");
    assert_eq!(found.book.basic.amount, fen(500));
}

/// By number, not by age.
pub async fn merchants_are_listed_by_number(h: &Harness) {
    for number in [9_999_999_999, 10_000_002, 10_000_001] {
        a_merchant().numbered(number).in_store(h.store()).await;
    }
    let listed = h.store.merchants().await.expect("merchants are read");
    let numbers: Vec<u64> = listed.iter().map(|found| found.merchant.id.get()).collect();
    assert_eq!(numbers, [10_000_001, 10_000_002, 9_999_999_999]);
}

/// Who read an older version has not seen what it would undo.
pub async fn settings_of_an_older_version_are_not_overwritten(h: &Harness) {
    let id = a_merchant().in_store(h.store()).await;
    let read = record(h, id).await;
    h.set(id, |settings| settings.name = "First".into()).await;
    let after = record(h, id).await;
    assert!(after.settings_version > read.settings_version);
    let mut late = (*read.merchant.settings).clone();
    late.name = "Second".into();
    let result = h.store.update_settings(id, read.settings_version, late, a_record(Some(id))).await;
    assert!(matches!(result, Err(StoreError::Conflict { .. })), "{result:?}");
    let found = record(h, id).await;
    assert_eq!(found.merchant.settings.name, "First");
    assert_eq!(found.settings_version, after.settings_version);
}

/// Settings and book are two things: neither change undoes the other.
pub async fn changing_settings_leaves_the_book_and_the_other_way_round(h: &Harness) {
    let id = a_merchant().with_money(500).in_store(h.store()).await;
    let before = record(h, id).await;
    h.set(id, |settings| settings.name = "Renamed".into()).await;
    let renamed = record(h, id).await;
    assert_eq!(renamed.merchant.book, before.merchant.book);
    h.ok(Recharge {
        merchant: id,
        account: FundingAccount::Basic,
        amount: fen(100),
        reference: reference("r1"),
    })
    .await;
    let after = record(h, id).await;
    assert_eq!(after.settings_version, renamed.settings_version);
    assert_eq!(after.merchant.settings, renamed.merchant.settings);
    assert_eq!(after.merchant.book.basic.amount, fen(600));
}

/// The newest key is the key.
pub async fn a_key_is_replaced(h: &Harness) {
    let id = a_merchant().in_store(h.store()).await;
    let key = vec![0, 255, 7];
    let set = h.store.set_key(id, key.clone(), a_record(Some(id))).await;
    set.expect("a key is set");
    assert_eq!(record(h, id).await.sealed_key, Some(key));
}

fn issued(merchant: MerchantId, serial: &str) -> NewCertificate {
    NewCertificate { merchant, serial: serial.to_owned(), not_after: MORNING.plus_seconds(86_400) }
}

/// Issued once per serial, found by it, listed per merchant.
pub async fn certificates_are_found_by_their_serial(h: &Harness) {
    let here = a_merchant().in_store(h.store()).await;
    let there = a_merchant().numbered(10_000_099).in_store(h.store()).await;
    for (owner, serial) in [(here, "0a"), (here, "0b"), (there, "0c")] {
        let new = issued(owner, serial);
        let added = h.store.add_certificate(new, a_record(Some(owner))).await;
        added.expect("a certificate is recorded");
    }
    let expected = Certificate {
        merchant: here,
        serial: "0a".to_owned(),
        not_after: MORNING.plus_seconds(86_400),
        revoked_at: None,
    };
    let found = h.store.certificate(here, "0a").await;
    assert_eq!(found.expect("it is read"), Some(expected));
    for (owner, serial) in [(there, "0a"), (here, "0c"), (here, "0A")] {
        let found = h.store.certificate(owner, serial).await;
        assert_eq!(found.expect("it is read"), None, "{owner} {serial}");
    }
    let listed = h.store.certificates(here).await.expect("they are read");
    let mut serials: Vec<&str> = listed.iter().map(|c| c.serial.as_str()).collect();
    serials.sort_unstable();
    assert_eq!(serials, ["0a", "0b"]);
    let new = issued(here, "0a");
    let twice = h.store.add_certificate(new, a_record(Some(here))).await;
    assert!(matches!(twice, Err(StoreError::Conflict { .. })), "{twice:?}");
}

/// From the first time on, and said once.
pub async fn a_certificate_is_revoked_once(h: &Harness) {
    let id = a_merchant().in_store(h.store()).await;
    let added = h.store.add_certificate(issued(id, "0a"), a_record(Some(id))).await;
    added.expect("a certificate is recorded");
    for (serial, seconds, done) in [("0a", 5, true), ("0a", 9, false), ("0b", 5, false)] {
        let at = MORNING.plus_seconds(seconds);
        let revoked = h.store.revoke_certificate(id, serial, at, a_record(Some(id))).await;
        assert_eq!(revoked.expect("it is revoked"), done, "{serial}");
    }
    let found = h.store.certificate(id, "0a").await.expect("it is read");
    let since = found.and_then(|certificate| certificate.revoked_at);
    assert_eq!(since, Some(MORNING.plus_seconds(5)));
}

/// A store that runs says so.
pub async fn a_store_that_runs_passes_its_check(h: &Harness) {
    h.store.check().await.expect("the store runs");
    assert_eq!(h.store.now().await.expect("it is read"), h.clock_now());
}
