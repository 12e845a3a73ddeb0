//! The routes that behave.

use super::*;

#[test]
fn statuses_and_small_answers() {
    let target = Target::fast();
    let mut client = target.connect();
    for status in [200, 201, 301, 404, 418, 500, 503, 599] {
        assert_eq!(client.get(&format!("/status/{status}")).status(), status);
    }
    assert_eq!(client.get("/no-content").status(), 204);
    assert_eq!(client.get("/not-modified").status(), 304);
    assert_eq!(client.get("/status/204").status(), 204);
    assert_eq!(client.get("/status/99").status(), 400);
    assert_eq!(client.get("/nowhere").status(), 404);
    assert_eq!(client.get("/json").json()["ok"], true);
    assert_eq!(target.counts()["connections_opened"], 1);
}

#[test]
fn head_has_the_headers_of_get_and_no_body() {
    let target = Target::fast();
    let mut client = target.connect();
    for path in ["/json", "/bytes/100000", "/bytes/10"] {
        let head = client.request("HEAD", path, "", "");
        let get = client.get(path);
        assert_eq!(head.header("content-length"), get.header("content-length"));
    }
    assert_eq!(client.request("HEAD", "/chunked/10", "", "").header("transfer-encoding"), Some("chunked"));
    assert_eq!(client.get("/json").status(), 200);
}

#[test]
fn bodies_have_the_size_asked_for() {
    let target = Target::fast();
    let mut client = target.connect();
    for length in [0, 1, 32_768, 32_769, 1_000_000] {
        let response = client.get(&format!("/bytes/{length}"));
        assert_eq!(response.body.len(), length);
        assert!(response.body.iter().enumerate().all(|(at, byte)| *byte == response.body[at % 64]));
    }
    let chunked = client.get("/chunked/2500?chunk=1000");
    assert_eq!(chunked.body.len(), 2500);
    assert_eq!(client.line(), "\r\n");
    client.get("/chunked/5?trailers=1");
    assert_eq!((client.line(), client.line()), ("x-length: 5\r\n".into(), "x-trailer: the end\r\n".into()));
    assert_eq!(client.line(), "\r\n");
    assert_eq!(client.get("/to-close/70000").body.len(), 70_000);
    assert!(target.get("/to-close/3?version=1.0").head.starts_with("HTTP/1.0 200"));
}

#[test]
fn echo_says_what_arrived() {
    let target = Target::fast();
    let mut client = target.connect();
    let echo = client.request("PUT", "/echo?a=1", "X-Two: b\r\nx-one: a\r\nX-Two: c\r\n", "häh").json();
    assert_eq!((&echo["method"], &echo["path"], &echo["query"]), (&json!("PUT"), &json!("/echo"), &json!("a=1")));
    let own = &echo["headers"].as_array().unwrap()[2..];
    assert_eq!(own, [json!(["X-Two", "b"]), json!(["x-one", "a"]), json!(["X-Two", "c"])]);
    assert_eq!((&echo["body"], &echo["body_base64"]), (&json!("häh"), &json!("aMOkaA==")));
    assert_eq!(client.get("/echo").json()["connection"], echo["connection"]);
    assert_ne!(target.get("/echo").json()["connection"], echo["connection"]);
}

#[test]
fn chunked_requests_pipelining_and_expectations_are_understood() {
    let target = Target::fast();
    let mut client = target.connect();
    client.send("POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\nGET /json HTTP/1.1\r\n\r\n");
    assert_eq!(client.response(true).json()["body"], "abcde");
    assert_eq!(client.response(true).json()["ok"], true);
    client.send("POST /echo HTTP/1.1\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
    assert_eq!(client.head(), "HTTP/1.1 100 Continue\r\n\r\n");
    client.send("ok");
    assert_eq!(client.response(true).json()["body"], "ok");
}

#[test]
fn old_clients_are_served_as_they_expect() {
    let target = Target::fast();
    let mut client = target.connect();
    client.send("GET /json HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    assert_eq!(client.response(true).header("connection"), Some("keep-alive"));
    client.send("GET /json HTTP/1.0\r\n\r\n");
    assert_eq!(client.response(true).header("connection"), Some("close"));
    assert!(client.rest().1.is_ok());
}

#[test]
fn redirects_lead_to_their_end() {
    let target = Target::fast();
    let mut client = target.connect();
    let mut path = "/redirect/3?status=307".to_owned();
    for next in ["/redirect/2?status=307", "/redirect/1?status=307", "/status/200"] {
        let response = client.get(&path);
        assert_eq!((response.status(), response.header("location")), (307, Some(next)));
        path = next.to_owned();
    }
    assert_eq!(client.get("/redirect/1?absolute=1").header("location"), Some("http://t/status/200"));
    let elsewhere = client.get("/redirect-to?url=http%3A%2F%2Fx%2Fy&status=303");
    assert_eq!((elsewhere.status(), elsewhere.header("location")), (303, Some("http://x/y")));
    assert_eq!(client.get("/redirect-to?url=a%0d%0ab").status(), 400);
}

#[test]
fn cookies_headers_and_basic_auth() {
    let target = Target::fast();
    let mut client = target.connect();
    let set = client.get("/cookies/set?a=1&b=2");
    assert_eq!(set.headers("set-cookie").collect::<Vec<_>>(), ["a=1; Path=/", "b=2; Path=/"]);
    assert!(client.get("/cookies/delete?a").header("set-cookie").unwrap().contains("Max-Age=0"));
    let cookies = client.request("GET", "/cookies", "Cookie: a=1; b=x=y\r\n", "").json();
    assert_eq!(cookies, json!({"a": "1", "b": "x=y"}));
    assert_eq!(client.get("/headers?X-A=b%20c&Set-Cookie=q=1").header("x-a"), Some("b c"));
    let unknown = client.get("/basic-auth/me/pass");
    assert_eq!((unknown.status(), unknown.header("www-authenticate").is_some()), (401, true));
    let known = client.request("GET", "/basic-auth/me/pass", "Authorization: Basic bWU6cGFzcw==\r\n", "");
    assert_eq!(known.json()["user"], "me");
}

#[test]
fn encodings_name_themselves() {
    let target = Target::fast();
    let mut client = target.connect();
    for (path, name) in
        [("gzip", Some("gzip")), ("deflate-raw", Some("deflate")), ("br", Some("br")), ("identity", None)]
    {
        assert_eq!(client.get(&format!("/encoded/{path}")).header("content-encoding"), name);
    }
}

#[test]
fn delays_are_kept_to_the_millisecond() {
    let target = Target::fast();
    let mut client = target.connect();
    let mut late: Vec<_> = (0..21)
        .map(|_| timed(|| client.get("/delay?ms=20")).0.checked_sub(Duration::from_millis(20)).expect("never early"))
        .collect();
    late.sort();
    // The best quarter only: other tests share the machine, and a late wake-up is theirs.
    assert!(late[5] < Duration::from_millis(1), "{late:?}");
}

#[test]
fn drips_and_slow_heads_take_their_time() {
    let target = Target::fast();
    let (time, drip) = timed(|| target.get("/drip?bytes=5&ms=10"));
    assert_eq!(drip.text(), "01234");
    assert!(time >= Duration::from_millis(50));
    let (time, slow) = timed(|| target.get("/slow-head?ms=20"));
    assert_eq!(slow.json()["ok"], true);
    assert!(time >= Duration::from_millis(40));
}

#[test]
fn two_peaks_have_their_shares_and_a_seed_repeats_them() {
    let draws = |seed: &str| {
        let target = Target::start(&["--seed", seed]);
        let mut client = target.connect();
        let draw = |_| client.get("/bimodal?fast=0&slow=0&share=0.25").json()["slow"] == true;
        (0..400).map(draw).collect::<Vec<_>>()
    };
    let slow = draws("1");
    assert!((60..140).contains(&slow.iter().filter(|slow| **slow).count()));
    assert_eq!(slow, draws("1"));
    assert_ne!(slow, draws("2"));
}

#[test]
fn a_stall_holds_everybody_once() {
    let target = Target::fast();
    assert_eq!(target.post("/witness/stall?seconds=0.2", &json!({})).status(), 200);
    let (time, _) = timed(|| target.get("/json"));
    assert!(time >= Duration::from_millis(150), "{time:?}");
    let (time, _) = timed(|| target.get("/stall?seconds=30"));
    assert!(time < DEADLINE, "there is one stall between resets");
}

#[test]
fn every_third_call_fails() {
    let target = Target::fast();
    let mut client = target.connect();
    let statuses: Vec<_> = (0..6).map(|_| client.get("/fail-every/3").status()).collect();
    assert_eq!(statuses, [200, 200, 500, 200, 200, 500]);
}

#[test]
fn a_route_can_be_programmed_until_reset() {
    let target = Target::fast();
    let route = json!({"path": "/cart", "status": 503, "body": {"no": 1}, "headers": {"x-a": "b"}, "delay_ms": 30});
    assert_eq!(target.post("/witness/routes", &route).status(), 200);
    target.post("/witness/routes", &json!({"path": "/cart", "method": "post", "body": "posted"}));
    let (time, response) = timed(|| target.get("/cart?q=1"));
    assert_eq!((response.status(), response.text(), response.header("x-a")), (503, r#"{"no":1}"#, Some("b")));
    assert!(time >= Duration::from_millis(30));
    assert_eq!(target.post("/cart", &json!({})).text(), "posted");
    assert_eq!(target.post("/witness/routes", &json!({"path": "cart"})).status(), 400);
    target.post("/witness/reset", &json!({}));
    assert_eq!(target.get("/cart").status(), 404);
}

#[test]
fn tls_is_served_beside_plain_http() {
    use rustls::pki_types::pem::PemObject as _;
    use rustls::pki_types::{CertificateDer, ServerName};
    let target = Target::start(&["--fast", "--tls", "--tls-port", "0"]);
    let mut roots = rustls::RootCertStore::empty();
    let pem = target.authority_pem.as_ref().unwrap();
    roots.add(CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = Arc::new(builder.with_root_certificates(roots).with_no_client_auth());
    for name in ["localhost", "127.0.0.1"] {
        let session = rustls::ClientConnection::new(Arc::clone(&config), ServerName::try_from(name).unwrap()).unwrap();
        let socket = TcpStream::connect(target.https.unwrap()).unwrap();
        socket.set_read_timeout(Some(DEADLINE)).unwrap();
        let mut client = Client { stream: BufReader::new(rustls::StreamOwned::new(session, socket)) };
        assert_eq!(client.get("/echo").json()["tls"], true);
        assert_eq!(client.get("/bytes/1000000").body.len(), 1_000_000);
        assert_eq!(client.get("/to-close/10").body.len(), 10, "an orderly end: else the read would fail");
    }
    assert_eq!(target.get("/echo").json()["tls"], false);
}
