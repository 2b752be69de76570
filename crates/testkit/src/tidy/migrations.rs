//! Rules about migrations.

/// Columns that name an owner: rows of one owner lie together, and on one shard.
const OWNERS: [&str; 6] =
    ["merchant_id", "user_id", "caller_id", "provider_id", "openid", "subject"];

/// Tables that stay small whoever uses the platform, and why.
const SMALL: [(&str, &str); 2] =
    [("lane", "a few rows for each start of a server"), ("job_lease", "one row for each job")];

/// Numbers of the migrations in one folder (`V1__name.sql`) that are not 1, 2, 3, …
pub fn numbers<'p>(names: impl IntoIterator<Item = &'p str>) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut numbers = Vec::new();
    for name in names {
        let number = name.strip_prefix('V').and_then(|rest| rest.split_once("__"));
        match number.and_then(|(number, _)| number.parse::<u32>().ok()) {
            Some(number) => numbers.push(number),
            None => wrong.push(format!("{name} is not named V<number>__<name>.sql")),
        }
    }
    numbers.sort_unstable();
    for (number, expected) in numbers.into_iter().zip(1..) {
        if number != expected {
            wrong.push(format!("migration {number} stands where {expected} should"));
            break;
        }
    }
    wrong
}

/// Primary and unique keys whose first column is no owner.
pub fn keys(path: &str, text: &str) -> Vec<String> {
    let mut table = "";
    let mut wrong = Vec::new();
    for line in text.lines() {
        let upper = line.trim().to_ascii_uppercase();
        if upper.starts_with("--") {
            continue;
        }
        let words = line.split_whitespace().collect::<Vec<_>>();
        if upper.starts_with("CREATE TABLE") {
            let name = words.iter().find(|word| !is_keyword(word));
            table = name.copied().unwrap_or_default().trim_end_matches('(');
        }
        if upper.starts_with("CREATE UNIQUE INDEX") {
            let on = words.iter().position(|word| word.eq_ignore_ascii_case("on"));
            let on = on.and_then(|at| words.get(at + 1)).copied().unwrap_or_default();
            table = on.split('(').next().unwrap_or_default();
        }
        let small = SMALL.iter().any(|(name, _)| *name == table);
        for column in first_columns(line, &upper) {
            if !small && !OWNERS.contains(&column.as_str()) {
                wrong.push(format!("{path}: a key of {table} starts with {column}, no owner"));
            }
        }
    }
    wrong
}

fn is_keyword(word: &str) -> bool {
    ["create", "table", "if", "not", "exists"].iter().any(|known| word.eq_ignore_ascii_case(known))
}

/// The first column of each key that a line declares.
fn first_columns(line: &str, upper: &str) -> Vec<String> {
    let line = line.trim();
    let in_brackets = |start: &str| {
        let (_, rest) = upper.split_once(start)?;
        let (inside, _) = rest.trim_start().strip_prefix('(')?.split_once(')')?;
        let first = inside.split(',').next()?.split_whitespace().next()?;
        Some(first.to_ascii_lowercase())
    };
    if upper.starts_with("CREATE UNIQUE INDEX") {
        let inside = line.split_once('(').map(|(_, rest)| rest).unwrap_or_default();
        let first = inside.split([',', ')']).next().unwrap_or_default();
        return vec![first.trim().to_ascii_lowercase()];
    }
    let mut columns = Vec::new();
    for start in ["PRIMARY KEY", "UNIQUE"] {
        if let Some(column) = in_brackets(start) {
            columns.push(column);
        } else if has_key(upper, start) {
            let first = line.split_whitespace().next().unwrap_or_default();
            columns.push(first.to_ascii_lowercase());
        }
    }
    columns
}

/// `x INTEGER PRIMARY KEY` and `x TEXT UNIQUE`: the column itself is the key.
fn has_key(upper: &str, key: &str) -> bool {
    super::has_word(upper, key) && !upper.starts_with("CREATE") && !upper.starts_with(key)
}
