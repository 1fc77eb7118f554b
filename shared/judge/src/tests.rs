use super::*;

const EXCERPT: &str = r##"{
  "document": {"title": "Shop", "version": "1", "origin": "o", "branch": "b", "commit": "c", "licence": "l", "sha256": "s"},
  "null_is_absent": true,
  "tag": "$_type",
  "operations": {
    "GET /orders/{id}": {
      "query": {"expand": {"type": "array", "items": {"$ref": "#/$defs/Expand"}, "explode": false},
                "limit": {"type": "integer", "format": "int32"}, "tag": {"type": "array", "items": {"type": "string"}}},
      "required": ["limit"],
      "answers": {"200": {"$ref": "#/$defs/Order"}, "204": null, "default": {"$ref": "#/$defs/Problem"}}
    },
    "GET /orders/latest": {"answers": {"204": null}},
    "POST /orders": {"body": {"$ref": "#/$defs/Order"}, "answers": {"200": {"type": "string"}}, "roles": ["ADMIN"]}
  },
  "callbacks": {"order.paid": {"body": {"$ref": "#/$defs/Order"}, "answers": {"200": null}}},
  "$defs": {
    "Expand": {"type": "string", "enum": ["items", "buyer"]},
    "Order": {"type": "object", "properties": {
      "$_type": {"type": "string", "enum": ["Order"]}, "number": {"type": "integer", "format": "int64"},
      "items": {"type": "array", "items": {"$ref": "#/$defs/Item"}}, "notes": {"type": "object", "additionalProperties": {"type": "string"}},
      "buyer": {"oneOf": [{"type": "string"}, {"$ref": "#/$defs/Problem"}]}, "coupon": {"type": "string", "nullable": true}}},
    "Item": {"discriminator": {"propertyName": "kind", "mapping": {"BOOK": "#/$defs/Book", "LAMP": "#/$defs/Lamp"}}},
    "Book": {"type": "object", "properties": {"$_type": {"enum": ["Book"]}, "kind": {"type": "string"}, "pages": {"type": "integer", "format": "int32"}}},
    "Lamp": {"type": "object", "properties": {"$_type": {"enum": ["Lamp"]}, "kind": {"type": "string"}}},
    "Problem": {"type": "object", "properties": {"why": {"type": "string"}}, "required": ["why"]}
  }
}"##;

fn document() -> Document {
    Document::parse(EXCERPT).unwrap()
}

/// Judges an order with additional members, and returns the places of the violations.
fn places(members: &Value) -> Vec<String> {
    let mut order = json!({"$_type": "Order"});
    for (name, value) in members.as_object().unwrap() {
        order[name] = value.clone();
    }
    document().judge_value("Order", &order).into_iter().map(|found| found.at).collect()
}

#[test]
fn accepts_what_the_document_names() {
    let book = json!({"$_type": "Book", "kind": "BOOK", "pages": 7});
    for good in [
        json!({}),
        json!({"number": i64::MAX, "items": [book, {"$_type": "Lamp", "kind": "LAMP"}]}),
        json!({"notes": {"any": "name"}, "buyer": "b-1"}),
        json!({"buyer": {"why": "none"}, "coupon": null}),
        json!({"items": null, "buyer": null}),
    ] {
        assert_eq!(places(&good), Vec::<String>::new(), "{good}");
    }
}

#[test]
fn refuses_what_the_document_does_not_name() {
    for (bad, place) in [
        (json!({"colour": "red"}), ""),
        (json!({"$_type": "Book"}), "/$_type"),
        (json!({"$_type": null}), ""),
        (json!({"number": "7"}), "/number"),
        (json!({"notes": {"any": 7}}), "/notes/any"),
        (json!({"buyer": 7}), "/buyer"),
        (json!({"items": [{"x": 1}]}), "/items/0"),
        (json!({"items": [{"$_type": "Chair", "kind": "CHAIR"}]}), "/items/0/kind"),
        (json!({"items": [{"$_type": "Lamp", "kind": "BOOK"}]}), "/items/0/$_type"),
        (json!({"items": [{"kind": "LAMP"}]}), "/items/0"),
        (json!({"items": [{"$_type": "Lamp", "kind": "LAMP", "pages": 7}]}), "/items/0"),
        (
            json!({"items": [{"$_type": "Book", "kind": "BOOK", "pages": 3_000_000_000_u32}]}),
            "/items/0/pages",
        ),
    ] {
        assert!(places(&bad).iter().any(|found| found == place), "{bad}: {:?}", places(&bad));
    }
    let unknown = document().judge_value("Chair", &json!({}));
    assert_eq!(unknown[0].why, "the document has no type Chair");
}

#[test]
fn null_counts_as_absent_only_where_the_document_marks_nothing_nullable() {
    let strict =
        Document::parse(&EXCERPT.replace("\"null_is_absent\": true", "\"null_is_absent\": false"));
    let strict = strict.unwrap();
    let judged = |order: &Value| strict.judge_value("Order", order).len();
    assert_eq!(judged(&json!({"$_type": "Order", "coupon": null})), 0);
    assert_eq!(judged(&json!({"$_type": "Order", "number": null})), 1);
}

#[test]
fn finds_operations_by_method_and_path() {
    let document = document();
    let name =
        |method: &str, path: &str| document.operation(method, path).map(|found| found.name.clone());
    assert_eq!(name("GET", "/orders/7"), Ok("GET /orders/{id}".into()));
    assert_eq!(name("GET", "/orders/latest"), Ok("GET /orders/latest".into()));
    assert_eq!(name("DELETE", "/orders/7"), Err(UnknownOperation::Method));
    for path in ["/orders/", "/orders/7/items", "orders/7", "/order"] {
        assert_eq!(name("GET", path), Err(UnknownOperation::Path), "{path}");
    }
    assert_eq!(document.operation("POST", "/orders").unwrap().roles, ["ADMIN"]);
}

#[test]
fn judges_queries() {
    let document = document();
    let operation = document.operation("GET", "/orders/7").unwrap();
    let judged = |query: &str| document.judge_request(operation, query, None);
    for good in
        ["limit=5", "limit=5&expand=items,buyer", "expand=items%2Cbuyer&limit=1&tag=a&tag=b+c"]
    {
        assert_eq!(judged(good), vec![], "{good}");
    }
    for (bad, place) in [
        ("", "query limit"),
        ("limit=five", "query limit"),
        ("limit=5&limit=6", "query limit"),
        ("limit=5&expand=items,colour", "query expand"),
        ("limit=5&expand=items&expand=buyer", "query expand"),
        ("limit=5&colour", "query colour"),
    ] {
        let places: Vec<_> = judged(bad).into_iter().map(|found| found.at).collect();
        assert_eq!(places, [place], "{bad}");
    }
}

#[test]
fn judges_bodies_and_answers() {
    let document = document();
    let order = json!({"$_type": "Order"});
    let create = document.operation("POST", "/orders").unwrap();
    assert_eq!(document.judge_request(create, "", Some(&order)), vec![]);
    assert_eq!(document.judge_request(create, "", None).len(), 1, "the body is missing");
    assert_eq!(document.judge_answer(create, 200, Some(&json!("o-1"))), vec![]);
    assert_eq!(document.judge_answer(create, 200, Some(&json!(7))).len(), 1);
    assert_eq!(document.judge_answer(create, 404, None).len(), 1, "there is no default answer");

    let read = document.operation("GET", "/orders/7").unwrap();
    assert_eq!(document.judge_request(read, "limit=1", Some(&order)).len(), 1, "GET has no body");
    assert_eq!(document.judge_answer(read, 404, Some(&json!({"why": "gone"}))), vec![]);
    assert_eq!(document.judge_answer(read, 404, Some(&json!({}))).len(), 1);
    assert_eq!(document.judge_answer(read, 204, None), vec![]);
    assert_eq!(document.judge_answer(read, 204, Some(&order)).len(), 1);
    assert_eq!(document.judge_answer(read, 201, None).len(), 1, "default is for errors");

    let paid = document.callback("order.paid").unwrap();
    assert_eq!(document.judge_request(paid, "", Some(&order)), vec![]);
    assert!(document.callback("order.lost").is_none());
}

#[test]
fn an_unusable_excerpt_fails() {
    for bad in [
        String::new(),
        "{}".to_owned(),
        EXCERPT.replace("\"Lamp\": {\"type\"", "\"Light\": {\"type\""),
        EXCERPT.replace("\"tag\"", "\"tags\""),
    ] {
        assert!(Document::parse(&bad).is_err(), "{bad}");
    }
}

#[test]
fn adds_the_missing_tags() {
    let mut order = json!({"items": [{"kind": "BOOK"}, {"kind": "CHAIR"}, {"kind": "LAMP", "$_type": "Lump"}],
                           "notes": {"a": "b"}, "buyer": "b-1", "number": null});
    document().add_tags("Order", &mut order);
    let expected = json!({
        "$_type": "Order", "notes": {"a": "b"}, "buyer": "b-1", "number": null,
        "items": [{"$_type": "Book", "kind": "BOOK"}, {"kind": "CHAIR"}, {"kind": "LAMP", "$_type": "Lump"}],
    });
    assert_eq!(order, expected, "only what is missing and known");
}
