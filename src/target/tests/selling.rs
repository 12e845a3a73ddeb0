//! The shop.

use super::*;

impl Client {
    fn log_in(&mut self, user: &str) -> String {
        let answer = self.post("/login", &json!({"user": user, "password": "secret"}));
        format!("Authorization: Bearer {}\r\n", answer.json()["access"].as_str().unwrap())
    }
}

#[test]
fn a_customer_logs_in_looks_around_and_buys() {
    let target = Target::fast();
    let mut client = target.connect();
    let token = client.log_in("ann");
    assert_eq!(client.request("GET", "/api/profile", &token, "").json()["user"], "ann");
    assert_eq!(client.request("GET", "/api/orders?limit=3", &token, "").json()["orders"].as_array().unwrap().len(), 3);
    let found = client.request("GET", "/api/search?q=lamp", &token, "").json();
    let id = found["results"][0]["id"].as_u64().unwrap();
    let product = client.request("GET", &format!("/api/products/{id}"), &token, "").json();
    let item = json!({"product_id": id, "quantity": 2}).to_string();
    let cart = client.request("POST", "/api/cart", &token, &item);
    assert_eq!((cart.status(), &cart.json()["items"]), (201, &json!(2)));
    let order = client.request("POST", "/api/checkout", &token, "");
    assert_eq!(order.status(), 201);
    assert!((order.json()["total"].as_f64().unwrap() - 2.0 * product["price"].as_f64().unwrap()).abs() < 1e-9);
    assert_eq!(client.request("POST", "/api/checkout", &token, "").status(), 409);
    let posted = client.request("POST", "/api/post", &token, r#"{"text":"bought"}"#);
    assert_eq!(posted.status(), 201);
    assert_eq!(client.request("GET", "/api/feed", &token, "").json()["posts"], json!([posted.json()]));
}

#[test]
fn who_is_not_logged_in_gets_401_and_who_asks_wrongly_400_404_or_405() {
    let target = Target::fast();
    let mut client = target.connect();
    assert_eq!(client.post("/login", &json!({"user": "ann", "password": "guess"})).status(), 401);
    assert_eq!(client.post("/login", &json!({"user": "ann"})).status(), 401);
    assert_eq!(client.request("POST", "/login", "", "ann").status(), 400);
    assert_eq!(client.get("/login").status(), 405);
    let refused = client.get("/api/profile");
    assert_eq!((refused.status(), refused.json()["error"].is_string()), (401, true));
    assert_eq!(client.request("GET", "/api/profile", "Authorization: Bearer YW5u.0.1\r\n", "").status(), 401);
    let token = client.log_in("ann");
    for (method, path, body, status) in [
        ("GET", "/api/products/0", "", 404),
        ("GET", "/api/products/x", "", 400),
        ("GET", "/api/search", "", 400),
        ("POST", "/api/cart", r#"{"product_id":5000}"#, 400),
        ("GET", "/api/checkout", "", 405),
        ("GET", "/api/nothing", "", 404),
    ] {
        assert_eq!(client.request(method, path, &token, body).status(), status, "{method} {path}");
    }
}

#[test]
fn every_login_has_a_cart_of_its_own() {
    let target = Target::fast();
    let mut client = target.connect();
    let (one, other) = (client.log_in("ann"), client.log_in("ann"));
    assert_ne!(one, other);
    client.request("POST", "/api/cart", &one, r#"{"product_id":1}"#);
    assert_eq!(client.request("POST", "/api/checkout", &other, "").status(), 409);
    assert_eq!(client.request("GET", "/api/cart", &one, "").json()["items"], 1);
}

/// The mean of what 8 clients wait for, each asking 5 times in a row.
fn mean_response_time(capacity: &str) -> Duration {
    let target = Target::start(&["--capacity", capacity]);
    let times = at_once(8, |_| {
        let mut client = target.connect();
        let token = client.log_in("ann");
        (0..5).map(|_| timed(|| client.request("GET", "/api/feed", &token, "")).0).sum::<Duration>()
    });
    times.iter().sum::<Duration>() / 40
}

#[test]
fn response_times_rise_when_the_capacity_is_exceeded() {
    let (ample, short) = (mean_response_time("64"), mean_response_time("1"));
    assert!(ample >= Duration::from_millis(8), "{ample:?}");
    assert!(short > 3 * ample, "{short:?} with one slot, {ample:?} with 64");
}
