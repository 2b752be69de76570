//! Whatever isolation level the administrator made the default, the same comes out (C-9).

use std::sync::Arc;

use hongbao_domain::{Fen, Refusal, facts::BatchError};
use hongbao_testkit::builders::{a_merchant, a_send, a_user, normal_terms};
use tokio::task::JoinSet;

use super::{PostgresStore, an_own_database, basic_fen, connect, counted};

const TASKS: usize = 32;

/// Each of the sends fits under the merchant's cap of the day, two of them do not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sends_that_only_fit_one_by_one_do_so_at_every_default_level() {
    for level in ["read committed", "repeatable read", "serializable"] {
        let Some((url, database)) = an_own_database().await else { return };
        let default =
            format!("ALTER DATABASE {database} SET default_transaction_isolation = '{level}'");
        connect(&url).await.batch_execute(&default).await.unwrap();
        let shown = "SHOW default_transaction_isolation";
        let shown: String = connect(&url).await.query_one(shown, &[]).await.unwrap().get(0);
        assert_eq!(shown, level);
        let mut stores = Vec::new();
        for _ in 0..2 {
            stores.push(Arc::new(PostgresStore::open(&url).await.unwrap()));
        }
        let capped = a_merchant().with_money(1_000_000);
        let capped = capped.with(|settings| settings.caps.merchant_day_fen = Fen::new(199));
        let merchant = capped.in_store(&*stores[0]).await;
        a_user("alice").in_store(&*stores[0]).await;
        let mut tasks = JoinSet::new();
        for number in 0..TASKS {
            let store = Arc::clone(&stores[number % 2]);
            let send = a_send(merchant, &format!("b{number}"), normal_terms("alice", 100));
            tasks.spawn(async move { counted(&*store, send).await.0.unwrap() });
        }
        let results = tasks.join_all().await;
        assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1, "{level}");
        for refused in results.into_iter().filter_map(Result::err) {
            let expected =
                matches!(refused, BatchError::Refused(Refusal::MerchantDayAmount { .. }));
            assert!(expected, "{level}: {refused:?}");
        }
        assert_eq!(basic_fen(&*stores[0], merchant).await, 999_900);
    }
}
