//! Which settings are refused, and where the bounds are.

use super::*;

type Change = fn(&mut Settings);

fn scene(settings: &mut Settings, min: i64, max: i64) {
    let amount = AmountRange { min: Fen::new(min), max: Fen::new(max) };
    settings.product.scenes.push(SceneTerms { scene: Scene::PrizeDraw, amount });
}

#[test]
fn an_end_after_28_days_can_still_be_queried_and_a_later_one_is_refused() {
    for (seconds, good) in [(59, false), (60, true), (2_419_200, true), (2_419_201, false)] {
        let mut settings = Settings::new("Lantern Tea".to_owned());
        settings.expiry_seconds = seconds;
        let field = settings.check().err().map(|error| error.field);
        assert_eq!(field, (!good).then_some("expiry_seconds"), "{seconds}");
    }
}

/// The smallest packet is 100 fen and the largest 20,000 unless a row says otherwise.
#[test]
fn terms_of_groups_are_refused_when_no_group_could_be_sent() {
    let (share_min, total_max) = (Some("group.share_min"), Some("group.total_max"));
    #[rustfmt::skip]
    let rows: [(Change, Option<&str>); 13] = [
        (|_| {},                                                                         None),
        (|s| s.group.share_min = Fen::ZERO,                                              share_min),
        (|s| s.group.share_min = Fen::new(20_000),                                       None),
        (|s| s.group.share_min = Fen::new(20_001),                                       share_min),
        (|s| { s.group.share_min = Fen::new(50); scene(s, 1, 50); },                     None),
        (|s| { s.group.share_min = Fen::new(51); scene(s, 1, 50); },                     share_min),
        (|s| s.group.total_max = Fen::new(300),                                          None),
        (|s| s.group.total_max = Fen::new(299),                                          total_max),
        (|s| s.group.total_max = Fen::new(-1),                                           total_max),
        (|s| { s.group.share_min = Fen::new(101); s.group.total_max = Fen::new(300); },  total_max),
        (|s| { s.group.share_min = Fen::new(101); s.group.total_max = Fen::new(303); },  None),
        (|s| { scene(s, 1, 50); s.group.total_max = Fen::new(3); },                      None),
        (|s| scene(s, 100_000, 200_000),                                                 None),
    ];
    for (row, (change, field)) in rows.into_iter().enumerate() {
        let mut settings = Settings::new("Lantern Tea".to_owned());
        change(&mut settings);
        assert_eq!(settings.check().err().map(|error| error.field), field, "row {row}");
    }
}
