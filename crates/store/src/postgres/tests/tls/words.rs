//! What a URL may say, and files that cannot be used.

use super::*;

fn parsed(place: &str, words: &str) -> Result<PostgresUrl, String> {
    format!("postgres://me:a%3Fb@{place}/bank?{words}").parse::<PostgresUrl>()
}

#[test]
fn words_without_effect_are_refused() {
    for (place, words, why) in [
        ("db", "sslmode=allow", "sslmode=allow is not known"),
        ("db", "sslmode=", "give disable, prefer"),
        ("db", "sslmode=verify-ca", "give sslrootcert=FILE"),
        ("db", "sslmode=verify-full", "give sslrootcert=FILE"),
        ("db", "sslrootcert=system", "/etc/ssl/certs/ca-certificates.crt"),
        ("db", "sslrootcert=", "names no file"),
        ("db", "sslrootcert=%FF", "not UTF-8"),
        ("db", "sslmode=prefer&sslrootcert=a", "without certificates"),
        ("db", "sslmode=disable&sslcert=a&sslkey=b", "without certificates"),
        ("db", "sslcert=a&sslkey=b", "without certificates"),
        ("db", "sslmode=require&sslcert=a", "give both or none"),
        ("db", "sslmode=require&sslkey=b", "give both or none"),
        ("db", "sslnegotiation=direct", "leave it out"),
        ("db", "sslcrl=a", "unknown option `sslcrl`"),
        ("db", "sslpassword=a", "unknown option `sslpassword`"),
        ("%2Frun%2Fdb", "sslmode=require", "a socket"),
        ("db,%2Frun%2Fdb", "sslrootcert=a", "a socket"),
        ("db", "hostaddr=10.0.0.1,10.0.0.2", "as many"),
        ("%2Frun%2Fdb", "hostaddr=10.0.0.1", "no sockets"),
    ] {
        let refused =
            parsed(place, words).map_err(|refused| refused.replace("the socket", "a socket"));
        let refused = refused.expect_err(words);
        assert!(refused.contains(why), "{words}: {refused}");
    }
    let refused = "host=db dbname=bank sslmode=require".parse::<PostgresUrl>().unwrap_err();
    assert!(refused.contains("give postgres://"), "{refused}");
}

#[test]
fn words_are_kept_with_the_url_and_shown_to_nobody() {
    for (place, words) in [
        ("db", "sslmode=disable"),
        ("db", "sslmode=prefer&options=-c%20search_path%3Dx"),
        ("db", "options=-c%20search_path%3Dx&sslmode=require"),
        ("db", "sslmode=verify-full&sslrootcert=%2Fa%20b.pem&channel_binding=require"),
        ("db", "ssl%6Dode=require&sslnegotiation=postgres"),
        ("%2Frun%2Fdb", "sslmode=prefer"),
        ("one,two", "hostaddr=10.0.0.1,10.0.0.2&sslrootcert=a"),
    ] {
        let url = parsed(place, words).unwrap_or_else(|refused| panic!("{words}: {refused}"));
        assert!(url.with_password().ends_with(words));
        assert_eq!(url.to_string(), format!("postgres://me@{place}/bank"));
        assert!(url.in_namespace("n").with_password().parse::<PostgresUrl>().is_ok());
    }
}

/// They would take a file of authorities without a mode for a wish.
#[test]
fn other_programs_are_told_what_is_meant() {
    for (words, told) in [
        ("", "?sslmode=prefer"),
        ("sslrootcert=a", "?sslrootcert=a&sslmode=verify-full"),
        ("sslmode=verify-ca&sslrootcert=a", "&sslmode=verify-ca"),
    ] {
        let sign = if words.is_empty() { "" } else { "?" };
        let url = format!("postgres://me@db/bank{sign}{words}").parse::<PostgresUrl>().unwrap();
        assert!(url.for_programs().ends_with(told), "{}", url.for_programs());
    }
}

#[test]
fn a_file_that_cannot_be_used_is_named_before_anything_is_sent() {
    let ours = Authority::new();
    let leaf = ours.user("hongbao");
    let cert = ours.file("cert.pem", &leaf.cert, 0o644);
    let key = ours.file("key.pem", &leaf.key, 0o600);
    let open_key = ours.file("open.pem", &leaf.key, 0o644);
    let another = ours.file("another.pem", &ours.user("hongbao").key, 0o600);
    let empty = ours.file("empty.pem", "", 0o600);
    let cut = ours.file("cut.pem", "-----BEGIN CERTIFICATE-----\nMIIB\n", 0o600);
    let wrong = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
    let wrong = ours.file("wrong.pem", wrong, 0o600);
    let locked = leaf.key.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
    let locked = ours.file("locked.pem", &locked, 0o600);
    let absent = ours.folder.path().join("absent.pem");
    let root = |file: &Path| format!("sslrootcert={}", file.display());
    let pair = |cert: &Path, key: &Path| {
        format!("sslmode=require&sslcert={}&sslkey={}", cert.display(), key.display())
    };
    for (words, file, why) in [
        (root(&absent), &absent, "No such file"),
        (root(ours.folder.path()), &ours.folder.path().to_owned(), "directory"),
        (root(&empty), &empty, "no certificate in PEM"),
        (root(&key), &key, "no certificate in PEM"),
        (root(&cut), &cut, "not PEM"),
        (root(&wrong), &wrong, "no certificate in it can be read"),
        (pair(&absent, &key), &absent, "No such file"),
        (pair(&cert, &absent), &absent, "No such file"),
        (pair(&cert, &open_key), &open_key, "chmod 600"),
        (pair(&cert, &locked), &locked, "passphrase"),
        (pair(&cert, &cert), &cert, "others may read it"),
        (pair(&cert, &another), &another, "are they a pair?"),
    ] {
        let url = parsed("db", &words).unwrap();
        let refused = url.hosts().expect_err(&words).to_string();
        assert!(refused.contains(why), "{words}: {refused}");
        assert!(refused.contains(&file.display().to_string()), "{words}: {refused}");
    }
    assert!(parsed("db", &pair(&cert, &key)).unwrap().hosts().is_ok());
}
