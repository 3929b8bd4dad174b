//! `user-api token`: each wrong input is refused with what is wrong and where, and no secret in it.

use crate::run::Place;

#[test]
fn wrong_arguments_are_refused_with_code_2() {
    let place = Place::with_secrets();
    for (args, words) in [
        (&["--alg", "none"][..], &["--alg", "none", "EdDSA"][..]),
        (&["--alg", "HS512"], &["--alg", "HS512"]),
        (&["--alg", "ES256"], &["ES256", "--key-file"]),
        (&["--key-file", "k.pem"], &["--key-file", "HS256"]),
        (&["--claim", "exp"], &["--claim", "NAME=JSON"]),
        (&["--claim", "=1"], &["--claim", "NAME=JSON"]),
        (
            &["--claim", "email=a@example.com"],
            &["--claim", "not JSON", "email=\"…\""],
        ),
        (&["--customer", "a/b"], &["--customer", "customer id"]),
        (&["--customer", ""], &["--customer"]),
        (&["--email-verified"], &["--email"]),
        (&["--ttl", "1h"], &["--ttl"]),
        (&["--ttl", "9223372036854775807"], &["--ttl", "out of range"]),
        (&["--ttl", "-9223372036854775808"], &["--ttl", "out of range"]),
        (&["--kid", "nobody"], &["--kid", "JWT_SECRET"]),
        (&["--secret", "x"], &["--secret"]),
    ] {
        place.refused(&[&["token"], args].concat(), 2, words);
    }
}

#[test]
fn files_that_are_missing_or_wrong_are_refused_by_name() {
    let place = Place::with_secrets();
    place.write("not.pem", "hunter2");
    place.ok(&[
        "keygen",
        "--token-key",
        "ES256",
        "--out",
        "es256.pem",
        "--jwk-out",
        "es256.jwk",
    ]);
    for (args, words) in [
        (
            &["--env-file", "none.vars"][..],
            &["none.vars", "No such file"][..],
        ),
        (&["--env-file", "es256.pem"], &["es256.pem", "line 1"]),
        (
            &["--alg", "ES256", "--key-file", "none.pem"],
            &["none.pem", "No such file"],
        ),
        (
            &["--alg", "ES256", "--key-file", "not.pem"],
            &["not.pem", "ES256", "PKCS#8"],
        ),
        (
            &["--alg", "RS256", "--key-file", "es256.pem"],
            &["es256.pem", "RS256"],
        ),
        (
            &["--alg", "EdDSA", "--key-file", "es256.pem"],
            &["es256.pem", "EdDSA"],
        ),
        (
            &["--alg", "ES256", "--key-file", "es256.jwk"],
            &["es256.jwk", "ES256"],
        ),
    ] {
        place.refused(&[&["token"], args].concat(), 1, words);
    }
    Place::new().refused(
        &["token"],
        1,
        &["JWT_SECRET", ".dev.vars", "no such file", "keygen"],
    );
}

#[test]
fn a_public_key_cannot_sign() {
    let place = Place::with_secrets();
    // RFC 8410 section 10.1.
    let pem = "-----BEGIN PUBLIC KEY-----\n\
        MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n\
        -----END PUBLIC KEY-----\n";
    place.write("public.pem", pem);
    let args = ["token", "--alg", "EdDSA", "--key-file", "public.pem"];
    place.refused(&args, 1, &["public.pem", "private key"]);
}

#[test]
fn a_wrong_secret_is_refused_and_never_shown() {
    for (text, words) in [
        ("JWT_SECRET=\"hunter2\"", &["JWT_SECRET", "7 bytes", "32"][..]),
        (
            "JWT_SECRET=a:0123456789abcdef0123456789abcdef,b:hunter2",
            &["entry 2", "7 bytes"],
        ),
        (
            "JWT_SECRET=a:0123456789abcdef0123456789abcdef,hunter2",
            &["entry 2", "kid:secret"],
        ),
        (
            "JWT_SECRET=hunter2,a:0123456789abcdef0123456789abcdef",
            &["entry 1", "kid:secret"],
        ),
        (
            "# one\nJWT_SECRET='hunter2$0123456789abcdef0123456789abcdef'",
            &["JWT_SECRET", "line 2", "$"],
        ),
        ("JWT_SECRET='hunter2", &["vars", "line 1", "quote"]),
        ("hunter2", &["vars", "line 1", "NAME=value"]),
        ("X=hunter2", &["JWT_SECRET", "vars"]),
    ] {
        let place = Place::new();
        place.write("vars", text);
        let args = ["token", "--env-file", "vars"];
        let ended = place.run(&args);
        ended.is_refusal(&args, 1, words);
        assert!(!ended.stderr.contains("hunter2"), "{}", ended.stderr);
        assert!(!ended.stderr.contains("0123456789"), "{}", ended.stderr);
    }
}
