//! What a field may hold, and that all faults of a body are told at once.

use crate::support::http::{Response, patch, put};
use crate::support::server::Server;
use crate::support::shared::{Customer, shared, version};
use serde_json::{Map, Value, json};

/// The change is refused at exactly these places, and nothing is changed.
#[track_caller]
fn assert_faults(server: &Server, path: &str, code: &str, body: &Value, wanted: &[&str]) {
    let customer = Customer::on(server);
    let before = customer.get(server, path).ok();
    let replace = body
        .get("metadata")
        .is_none_or(|metadata| metadata.get("none").is_none());
    let responses = [Some(patch(path, body)), replace.then(|| put(path, body))];
    for request in responses.into_iter().flatten() {
        let mut pointers = request.bearer(&customer.token).send(server).pointers(code);
        pointers.sort();
        assert_eq!(pointers, wanted, "{body}");
    }
    assert_eq!(customer.get(server, path).ok(), before);
}

fn accepted(server: &Server, path: &str, body: &Value) -> Response {
    let customer = Customer::on(server);
    patch(path, body).bearer(&customer.token).send(server).expect(200)
}

#[test]
fn all_faults_of_a_body_are_told_at_once() {
    let server = shared();
    let body = json!({"name": "", "companyName": 1, "displayName": "x".repeat(101), "metadata": {"a/b~c": 1, "ü x": "", "fine": "1"},
        "unknown": 1, "status": "active"});
    let wanted = [
        "#/companyName",
        "#/displayName",
        "#/metadata/%C3%BC%20x",
        "#/metadata/a~1b~0c",
        "#/name",
        "#/status",
        "#/unknown",
    ];
    assert_faults(&server, "/customer/me", "validation_failed", &body, &wanted);
}

#[test]
fn a_field_that_is_not_the_callers_is_refused_and_not_ignored() {
    let server = shared();
    let members = [
        "customerId",
        "email",
        "plan",
        "status",
        "statusReason",
        "statusChangedAt",
        "features",
        "createdAt",
        "updatedAt",
        "lastSeenAt",
    ];
    for member in members {
        for value in [json!("x"), Value::Null, json!({})] {
            let pointer = format!("#/{member}");
            assert_faults(
                &server,
                "/customer/me",
                "field_not_writable",
                &json!({member: value}),
                &[&pointer],
            );
        }
    }
    let body = json!({"name": "Fine", "plan": "enterprise"});
    assert_faults(&server, "/customer/me", "field_not_writable", &body, &["#/plan"]);
    for member in [
        "userId",
        "customerId",
        "email",
        "createdAt",
        "updatedAt",
        "lastSeenAt",
    ] {
        let pointer = format!("#/{member}");
        assert_faults(
            &server,
            "/user/me",
            "field_not_writable",
            &json!({member: "x"}),
            &[&pointer],
        );
    }
}

#[test]
fn one_s_own_resource_cannot_be_written_back_whole_by_accident() {
    let server = shared();
    let customer = Customer::on(&server);
    let (whole, _) = customer.now(&server);
    let pointers = put("/customer/me", &whole)
        .bearer(&customer.token)
        .send(&server)
        .pointers("field_not_writable");
    assert!(pointers.contains(&"#/customerId".to_owned()), "{pointers:?}");
}

#[test]
fn an_unknown_field_is_refused_with_its_pointer() {
    let server = shared();
    for (path, member) in [
        ("/customer/me", "nick"),
        ("/user/me", "name"),
        ("/user/me/preferences", "colour"),
    ] {
        let pointer = format!("#/{member}");
        assert_faults(
            &server,
            path,
            "validation_failed",
            &json!({member: "x"}),
            &[&pointer],
        );
    }
    let body = json!({"notifications": {"sms": true, "email": 1}});
    let wanted = ["#/notifications/email", "#/notifications/sms"];
    assert_faults(
        &server,
        "/user/me/preferences",
        "validation_failed",
        &body,
        &wanted,
    );
    for odd in ["__proto__", "constructor", "toString", "Name", "name "] {
        let response = Customer::on(&server).patch(&server, &json!({odd: "x"}));
        assert_eq!(response.pointers("validation_failed").len(), 1, "{odd}");
    }
}

#[test]
fn texts_are_one_clean_line() {
    let server = shared();
    let bad = [
        "",
        " ",
        " a",
        "a ",
        "a\nb",
        "a\tb",
        "a\u{0}b",
        "a\u{7f}",
        "a\u{85}b",
        "a\u{2028}b",
        "\u{202e}txt.exe",
        "a\u{2066}b",
        "Zoe\u{308}",
        "a\u{fffe}",
        "\u{feff}\n",
    ];
    let customer = Customer::on(&server);
    for text in bad {
        for body in [
            json!({"name": text}),
            json!({"displayName": text}),
            json!({"metadata": {"k": text}}),
        ] {
            let pointers = customer.patch(&server, &body).pointers("validation_failed");
            assert_eq!(pointers.len(), 1, "{body}");
        }
        let user = patch("/user/me", &json!({"displayName": text}))
            .bearer(&customer.token)
            .send(&server);
        assert_eq!(user.pointers("validation_failed"), ["#/displayName"], "{text:?}");
    }
    assert_eq!(version(&customer.now(&server).1), 1);
}

#[test]
fn any_script_is_a_name_and_comes_back_as_it_was_sent() {
    let server = shared();
    for name in [
        "Zoë",
        "O'Brien \"Bob\" \\ <b>&amp;",
        "山田太郎",
        "محمد",
        "שלום",
        "👩‍👩‍👧‍👦 family",
        "'; DROP TABLE customer; --",
        "Å\u{323}".to_owned().as_str(),
    ] {
        let response = Customer::on(&server).patch(&server, &json!({"name": name}));
        if response.status == 200 {
            assert_eq!(response.json()["name"], name);
        } else {
            // The last of them is not in normalization form C.
            assert_eq!(
                (response.pointers("validation_failed"), name),
                (vec!["#/name".to_owned()], "Å\u{323}")
            );
        }
    }
}

#[test]
fn lengths_are_counted_in_characters_up_to_the_bound() {
    let server = shared();
    for (member, most) in [("name", 200), ("companyName", 200), ("displayName", 100)] {
        for character in ["x", "ë", "👩"] {
            accepted(&server, "/customer/me", &json!({member: character.repeat(most)}));
            let pointer = format!("#/{member}");
            let body = json!({member: character.repeat(most + 1)});
            assert_faults(&server, "/customer/me", "validation_failed", &body, &[&pointer]);
        }
    }
}

#[test]
fn metadata_holds_50_keys_of_40_characters_with_values_of_500() {
    let server = shared();
    let key = |index: usize| format!("{index:02}{}", "ë".repeat(38));
    let full = |keys: usize| {
        let entries = (0..keys).map(|index| (key(index), json!("👩".repeat(500))));
        json!({"metadata": entries.collect::<Map<_, _>>()})
    };
    let customer = Customer::on(&server);
    let put_of = |body: &Value| put("/customer/me", body).bearer(&customer.token).send(&server);
    put_of(&full(50)).expect(200);
    let (before, _) = customer.now(&server);
    assert_eq!(put_of(&full(51)).pointers("validation_failed"), ["#/metadata"]);
    assert_eq!(
        customer
            .patch(&server, &json!({"metadata": {"51": "x"}}))
            .pointers("validation_failed"),
        ["#/metadata"]
    );
    assert_eq!(customer.now(&server).0, before);
    let exchange = json!({"metadata": {key(0): null, "51": "x"}});
    customer.patch(&server, &exchange).expect(200);

    let long_key = "k".repeat(41);
    let pointer = format!("#/metadata/{long_key}");
    assert_faults(
        &server,
        "/customer/me",
        "validation_failed",
        &json!({"metadata": {long_key: "x"}}),
        &[&pointer],
    );
    let long_value = json!({"metadata": {"k": "x".repeat(501)}});
    assert_faults(
        &server,
        "/customer/me",
        "validation_failed",
        &long_value,
        &["#/metadata/k"],
    );
    for value in [json!(1), json!(true), json!({}), json!([])] {
        assert_faults(
            &server,
            "/customer/me",
            "validation_failed",
            &json!({"metadata": {"k": value}}),
            &["#/metadata/k"],
        );
    }
    for whole in [json!("x"), json!([]), json!(1)] {
        assert_faults(
            &server,
            "/customer/me",
            "validation_failed",
            &json!({"metadata": whole}),
            &["#/metadata"],
        );
    }
    assert_faults(
        &server,
        "/customer/me",
        "validation_failed",
        &json!({"metadata": {"": "x"}}),
        &["#/metadata/"],
    );
}

#[test]
fn time_zones_and_languages_are_real_ones() {
    let server = shared();
    for zone in [
        "Mars/Base",
        "",
        "CEST+2",
        "Europe/Berlin ",
        "+02:00",
        "../etc/passwd",
        "Etc/Unknown",
    ] {
        for path in ["/user/me", "/user/me/preferences"] {
            assert_faults(
                &server,
                path,
                "validation_failed",
                &json!({"timeZone": zone}),
                &["#/timeZone"],
            );
        }
    }
    for tag in [
        "english",
        "xx-YY",
        "en_US",
        "",
        "e",
        "en-",
        "de-DE-u-",
        "i-nothing",
        "*",
    ] {
        assert_faults(
            &server,
            "/user/me",
            "validation_failed",
            &json!({"locale": tag}),
            &["#/locale"],
        );
        assert_faults(
            &server,
            "/user/me/preferences",
            "validation_failed",
            &json!({"language": tag}),
            &["#/language"],
        );
    }
    let kept = accepted(
        &server,
        "/user/me",
        &json!({"timeZone": "europe/berlin", "locale": "PT-br"}),
    )
    .json();
    assert_eq!(
        (&kept["timeZone"], &kept["locale"]),
        (&json!("Europe/Berlin"), &json!("pt-BR"))
    );
    for zone in ["UTC", "America/Argentina/Buenos_Aires", "Asia/Kolkata"] {
        accepted(&server, "/user/me/preferences", &json!({"timeZone": zone}));
    }
}

#[test]
fn a_fault_says_where_and_why_but_never_repeats_the_value() {
    let server = shared();
    let customer = Customer::on(&server);
    let body = json!({"name": "persondata\n", "metadata": {"k": "persondata ".repeat(100)}, "timeZone": "persondata"});
    // `Response::check` refuses a problem that holds the word.
    customer.patch(&server, &body).pointers("validation_failed");
    patch("/user/me", &json!({"locale": "persondata"}))
        .bearer(&customer.token)
        .send(&server)
        .expect(422);
    let cut = customer
        .patch(&server, &json!({"x".repeat(5000): 1}))
        .pointers("validation_failed");
    assert!(cut[0].len() < 300, "a pointer of {} bytes", cut[0].len());
}
