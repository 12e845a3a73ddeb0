//! The shop that demos run against: log in, look around, fill a cart, check out.
//!
//! Any user name and the password `secret` log in. A login's token is good until the server ends and is a basket of its
//! own. Every request takes its route's service time in one of the shop's slots; when all are busy it waits in line.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use rustc_hash::FxHashMap;
use serde_json::{Value, json};

use super::queue::Queue;
use super::random::{Stream, mix};
use super::reply::Reply;
use super::request::{Request, number};
use super::routes::{Refusal, Served};
use crate::sync::held;

pub const PASSWORD: &str = "secret";
const PRODUCTS: u64 = 1000;
const WORDS: [&str; 8] = ["green", "desert", "swift", "tiny", "golden", "marsh", "night", "royal"];
const KINDS: [&str; 8] = ["lamp", "tent", "kettle", "boots", "map", "rope", "lantern", "flask"];

/// Median service times in ms, and the spread of their logarithms.
const SERVICE: [(&str, f64, f64); 9] = [
    ("/login", 25.0, 0.4),
    ("/api/profile", 6.0, 0.3),
    ("/api/orders", 12.0, 0.4),
    ("/api/products/", 5.0, 0.3),
    ("/api/search", 25.0, 0.6),
    ("/api/cart", 8.0, 0.3),
    ("/api/checkout", 40.0, 0.5),
    ("/api/feed", 15.0, 0.5),
    ("/api/post", 10.0, 0.4),
];

pub struct Shop {
    seed: u64,
    /// `None`: the shop answers at once.
    queue: Option<Queue>,
    service: Vec<Stream>,
    logins: AtomicU64,
    orders: AtomicU64,
    posts: AtomicU64,
    /// By token; only those with something in them.
    carts: Mutex<FxHashMap<String, Cart>>,
    /// The latest ones.
    feed: Mutex<VecDeque<Value>>,
}

#[derive(Clone, Copy, Default)]
struct Cart {
    items: u64,
    total_cents: u64,
}

/// Who asks.
struct Customer {
    name: String,
    token: String,
}

impl Shop {
    pub fn new(seed: u64, slots: Option<usize>) -> Self {
        Self {
            seed,
            queue: slots.map(Queue::new),
            service: SERVICE.iter().map(|(route, ..)| Stream::new(seed, route)).collect(),
            logins: AtomicU64::new(0),
            orders: AtomicU64::new(0),
            posts: AtomicU64::new(0),
            carts: Mutex::default(),
            feed: Mutex::default(),
        }
    }

    /// Empty the carts and the line, and begin the draws of service times anew. Tokens stay good.
    pub fn reset(&self) {
        self.service.iter().for_each(Stream::restart);
        self.queue.iter().for_each(Queue::clear);
        self.orders.store(0, Ordering::Relaxed);
        self.posts.store(0, Ordering::Relaxed);
        held(&self.carts).clear();
        held(&self.feed).clear();
    }

    /// When the answer to a request that arrived now is ready.
    fn admit(&self, path: &str) -> Option<Instant> {
        let queue = self.queue.as_ref()?;
        let row =
            SERVICE.iter().position(|(route, ..)| path == *route || route.ends_with('/') && path.starts_with(route))?;
        let (_, median, spread) = SERVICE[row];
        let ms = median * (spread * self.service[row].normal()).exp();
        Some(queue.admit(Instant::now(), Duration::from_secs_f64(ms / 1000.0)))
    }

    fn token(&self, user: &str) -> String {
        let login = self.logins.fetch_add(1, Ordering::Relaxed);
        format!("{}.{login:x}.{:x}", BASE64.encode(user), self.seal(user, login))
    }

    /// What makes a token ours. No secret: whoever knows the seed can make one.
    fn seal(&self, user: &str, login: u64) -> u64 {
        user.bytes().fold(mix(self.seed ^ mix(login)), |seal, byte| mix(seal ^ u64::from(byte)))
    }

    fn customer(&self, request: &Request<'_>) -> Result<Customer, Refusal> {
        let refusal =
            || Refusal::new(401, "log in and send `Authorization: Bearer …`").with("www-authenticate", "Bearer");
        let header = request.header("authorization").ok_or_else(refusal)?;
        let (scheme, token) = header.split_once(' ').ok_or_else(refusal)?;
        let name = self.owner(token.trim()).filter(|_| scheme.eq_ignore_ascii_case("bearer")).ok_or_else(refusal)?;
        Ok(Customer { name, token: token.trim().to_owned() })
    }

    fn owner(&self, token: &str) -> Option<String> {
        let mut parts = token.splitn(3, '.');
        let user = String::from_utf8(BASE64.decode(parts.next()?).ok()?).ok()?;
        let login = u64::from_str_radix(parts.next()?, 16).ok()?;
        let seal = u64::from_str_radix(parts.next()?, 16).ok()?;
        (seal == self.seal(&user, login)).then_some(user)
    }
}

/// Answer a request to `/login` or below `/api`.
pub fn serve(request: &Request<'_>, shop: &Shop, reply: &mut Reply) {
    reply.not_before = shop.admit(request.path);
    match visit(request, shop) {
        Ok((status, body)) => reply.json(status, body.to_string()),
        Err(refusal) => refusal.write(reply), // here and not by the caller: refusals take their time too
    }
}

fn visit(request: &Request<'_>, shop: &Shop) -> Result<(u16, Value), Refusal> {
    if request.path == "/login" {
        allow(request, "POST")?;
        return log_in(request, shop);
    }
    let customer = shop.customer(request)?;
    let route = request.path.strip_prefix("/api/").unwrap_or_default();
    if let Some(id) = route.strip_prefix("products/") {
        allow(request, "GET, HEAD")?;
        return product(id);
    }
    let methods = match route {
        "profile" | "orders" | "search" | "feed" => "GET, HEAD",
        "cart" => "GET, HEAD, POST",
        "checkout" | "post" => "POST",
        _ => return Err(Refusal::not_found(request.path)),
    };
    allow(request, methods)?;
    match route {
        "profile" => Ok((200, profile(&customer))),
        "orders" => orders(request, &customer),
        "search" => search(request),
        "feed" => Ok((200, json!({ "posts": &*held(&shop.feed) }))),
        "cart" if request.method == "POST" => add_to_cart(request, shop, customer),
        "cart" => Ok((200, cart(held(&shop.carts).get(&customer.token).copied().unwrap_or_default()))),
        "checkout" => check_out(shop, &customer),
        _ => post(request, shop, &customer),
    }
}

fn allow(request: &Request<'_>, methods: &'static str) -> Served {
    if methods.split(", ").any(|method| method == request.method) {
        return Ok(());
    }
    Err(Refusal::new(405, format!("`{}` is for {methods}", request.path)).with("allow", methods))
}

/// The request's body as a JSON object.
fn object(request: &Request<'_>) -> Result<Value, Refusal> {
    let value = serde_json::from_slice::<Value>(request.body).ok().filter(Value::is_object);
    value.ok_or_else(|| Refusal::new(400, "the body must be a JSON object"))
}

fn log_in(request: &Request<'_>, shop: &Shop) -> Result<(u16, Value), Refusal> {
    let body = object(request)?;
    let user = ["user", "username"].iter().find_map(|key| body[key].as_str()).filter(|user| !user.is_empty());
    match (user, body["password"].as_str()) {
        (Some(user), Some(PASSWORD)) => Ok((200, json!({ "access": shop.token(user), "user": user }))),
        _ => Err(Refusal::new(401, "wrong user or password")),
    }
}

fn profile(customer: &Customer) -> Value {
    json!({ "user": customer.name, "email": format!("{}@example.com", customer.name), "member_since": 2020 })
}

fn orders(request: &Request<'_>, customer: &Customer) -> Result<(u16, Value), Refusal> {
    let limit = request.number("limit", 10_u64)?.min(100);
    let own = customer.name.bytes().fold(0, |key, byte| mix(key ^ u64::from(byte)));
    let orders: Vec<_> = (0..limit)
        .map(|n| {
            let draw = mix(own ^ n);
            json!({ "id": draw % 1_000_000, "items": 1 + draw % 5, "total": euros(1000 + draw % 20_000) })
        })
        .collect();
    Ok((200, json!({ "orders": orders })))
}

fn product(id: &str) -> Result<(u16, Value), Refusal> {
    let id: u64 = number("id", id)?;
    let details = describe(id).ok_or_else(|| Refusal::new(404, format!("there is no product {id}")))?;
    Ok((200, details))
}

/// Products are numbered from 1 and always the same.
fn describe(id: u64) -> Option<Value> {
    (1..=PRODUCTS).contains(&id).then(|| {
        let draw = mix(id);
        let name = format!("{} {}", WORDS[(draw % 8) as usize], KINDS[(draw / 8 % 8) as usize]);
        json!({ "id": id, "name": name, "price": euros(price_cents(id)), "stock": draw / 64 % 100 })
    })
}

fn price_cents(id: u64) -> u64 {
    199 + mix(!id) % 20_000
}

fn euros(cents: u64) -> f64 {
    cents as f64 / 100.0
}

/// Ten products that the words lead to, whatever they are: a demo's search always finds something to view.
fn search(request: &Request<'_>) -> Result<(u16, Value), Refusal> {
    let words = request.parameter("q").filter(|words| !words.is_empty());
    let words = words.ok_or_else(|| Refusal::new(400, "`q` is missing"))?;
    let key = words.bytes().fold(0, |key, byte| mix(key ^ u64::from(byte)));
    let found: Vec<_> = (0..10).filter_map(|n| describe(1 + mix(key ^ n) % PRODUCTS)).collect();
    Ok((200, json!({ "query": words, "results": found })))
}

fn add_to_cart(request: &Request<'_>, shop: &Shop, customer: Customer) -> Result<(u16, Value), Refusal> {
    let body = object(request)?;
    let id = ["product_id", "product", "id"].iter().find_map(|key| body[key].as_u64());
    let id = id.filter(|id| (1..=PRODUCTS).contains(id));
    let id = id.ok_or_else(|| Refusal::new(400, format!("`product_id` must be from 1 to {PRODUCTS}")))?;
    let quantity = body.get("quantity").map_or(Some(1), Value::as_u64).filter(|n| (1..=100).contains(n));
    let quantity = quantity.ok_or_else(|| Refusal::new(400, "`quantity` must be from 1 to 100"))?;
    let mut carts = held(&shop.carts);
    let held = carts.entry(customer.token).or_default();
    held.items += quantity;
    held.total_cents += quantity * price_cents(id);
    Ok((201, cart(*held)))
}

fn cart(held: Cart) -> Value {
    json!({ "items": held.items, "total": euros(held.total_cents) })
}

fn check_out(shop: &Shop, customer: &Customer) -> Result<(u16, Value), Refusal> {
    let bought = held(&shop.carts).remove(&customer.token);
    let bought = bought.ok_or_else(|| Refusal::new(409, "the cart is empty"))?;
    let order = shop.orders.fetch_add(1, Ordering::Relaxed) + 1;
    Ok((201, json!({ "order": order, "items": bought.items, "total": euros(bought.total_cents) })))
}

fn post(request: &Request<'_>, shop: &Shop, customer: &Customer) -> Result<(u16, Value), Refusal> {
    let body = object(request)?;
    let text = body["text"].as_str().ok_or_else(|| Refusal::new(400, "`text` must be a string"))?;
    let post = json!({
        "id": shop.posts.fetch_add(1, Ordering::Relaxed) + 1,
        "user": customer.name,
        "text": text.chars().take(280).collect::<String>(),
    });
    let mut feed = held(&shop.feed);
    feed.push_front(post.clone());
    feed.truncate(20);
    Ok((201, post))
}
