//! One customer's object in a test: its storage, a clock to set, entropy to repeat, and what to ask of it.

use super::people::{CUSTOMER, service};
use super::vault::Vault;
use super::workerd::Workerd;
use rusqlite::types::Value as Cell;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::rc::Rc;
use user_api::crypto::{Column, FieldKeys, IndexKeys, MasterKeys, SigningKeys};
use user_api::customer::config::Config;
use user_api::customer::errand::{Answer, Errand, What};
use user_api::customer::limits::RateLimits;
use user_api::customer::request::{Reply, Request};
use user_api::customer::{Customer, batch};
use user_api::edge::reply;
use user_api::edge::route::Route;
use user_api::entropy::Entropy;
use user_api::error::{Code, Result};
use user_api::sql::Sql;
use user_api::types::{CustomerId, Timestamp};

/// 2026-01-01T00:00:00.000Z.
pub const NEW_YEAR: i64 = 1_767_225_600_000;
pub const HOUR: i64 = 3_600_000;

/// Random bytes that are the same in each run (SplitMix64).
#[derive(Debug, Clone)]
pub struct Seeded(pub u64);

impl Entropy for Seeded {
    fn fill(&mut self, out: &mut [u8]) -> Result<()> {
        for chunk in out.chunks_mut(8) {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut word = self.0;
            word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            word ^= word >> 31;
            chunk.copy_from_slice(&word.to_be_bytes()[..chunk.len()]);
        }
        Ok(())
    }
}

/// All tables with all their rows, and the schema itself under `sqlite_master`.
pub type Dump = BTreeMap<String, Vec<Vec<Cell>>>;

pub struct World {
    pub sql: Workerd,
    pub customer: Customer,
    pub vault: Vault,
    /// `MASTER_KEYS`; what is changed here counts from the next restart on.
    pub masters: Vec<(u32, [u8; 32])>,
    pub now: i64,
    pub entropy: Seeded,
    /// Of its own, because a repeated request need not ask the vault again.
    key_entropy: Seeded,
    plans: &'static str,
}

pub const MASTERS: &[(u32, [u8; 32])] = &[(1, [9; 32])];

/// No plan limits anything, so that histories may be of any length; `integrations.rs` has limits of its own.
const UNLIMITED: &str = r#"{"free":[],"starter":[],"pro":[],"enterprise":[]}"#;

impl World {
    /// An object in which there is no customer.
    pub fn absent() -> Self {
        Self {
            sql: Workerd::new(),
            customer: Self::asleep(UNLIMITED, MASTERS),
            vault: Vault::default(),
            masters: MASTERS.to_vec(),
            plans: UNLIMITED,
            now: NEW_YEAR,
            entropy: Seeded(7),
            key_entropy: Seeded(11),
        }
    }

    /// The same in a file.
    pub fn absent_on_disk() -> Self {
        Self {
            sql: Workerd::on_disk(),
            ..Self::absent()
        }
    }

    /// An object with an active customer, made by the login service.
    pub fn new() -> Self {
        Self::absent().created()
    }

    /// The same with another key.
    pub fn new_with_key_of(seed: u64) -> Self {
        let mut world = Self::absent();
        world.key_entropy = Seeded(seed);
        world.created()
    }

    /// The same with an active customer.
    pub fn created(mut self) -> Self {
        let body = json!({"email": "owner@example.com", "name": "Acme"});
        let reply = self.send(&service().says(Route::EnsureCustomer, &body));
        assert!(matches!(reply, Reply::Content { created: true, .. }));
        self.now += 1;
        self
    }

    fn asleep(plans: &str, masters: &[(u32, [u8; 32])]) -> Customer {
        Customer::new(
            CustomerId::parse(CUSTOMER).unwrap(),
            Rc::new(Self::config_of(plans, masters)),
        )
    }

    /// What every object here is configured with.
    pub fn config() -> Config {
        Self::config_of(UNLIMITED, &[(1, [9; 32])])
    }

    fn config_of(plans: &str, masters: &[(u32, [u8; 32])]) -> Config {
        Config {
            index: IndexKeys::derive(&[7; 32]).unwrap(),
            limits: RateLimits::parse(plans).unwrap(),
            max_ttl_secs: 86_400,
            erasure_grace_days: 7,
            master_keys: MasterKeys::new(masters.to_vec()),
            audit_retention_ms: 730 * 24 * HOUR,
            signing: SigningKeys::new([("1", &[8; 32])].into_iter()).unwrap(),
            render: reply::stored,
        }
    }

    /// An object with an active customer whose plans allow this, as `RATE_LIMITS` says it.
    pub fn limited(plans: &'static str) -> Self {
        let mut world = Self::absent();
        world.plans = plans;
        world.customer = Self::asleep(plans, MASTERS);
        world.created()
    }

    /// As after an eviction: memory is lost, storage is opened anew.
    pub fn restart(&mut self) {
        self.customer = Self::asleep(self.plans, &self.masters);
        self.sql.reopen();
    }

    /// Has the vault asked for what the decision needs, as `shell::customer` does.
    pub fn unlock(&mut self, creates: bool) -> Result<()> {
        let mut next = self
            .customer
            .key_errand(&self.sql, creates, &mut self.key_entropy)?;
        while let Some(errand) = next {
            next = match self.vault.ask(errand) {
                Ok(held) => self
                    .customer
                    .key_answer(&self.sql, &held, &mut self.key_entropy)?,
                Err(_) if self.customer.has_key() => None,
                Err(error) => return Err(error),
            };
        }
        Ok(())
    }

    /// The batch in which these requests meet; those whose key cannot be had do not come to it.
    pub fn batch(&mut self, requests: &[Request]) -> Vec<Result<Reply>> {
        for request in requests {
            if let Err(error) = self.unlock(request.creates())
                && !self.customer.decides_without_key(request)
            {
                return vec![Err(error); requests.len()];
            }
        }
        self.decide(requests)
    }

    /// What is decided on them as they come, without a word to the vault.
    pub fn decide(&mut self, requests: &[Request]) -> Vec<Result<Reply>> {
        let now = Timestamp::from_millis(self.now);
        batch::run(&mut self.customer, &self.sql, requests, now, &mut self.entropy)
            .into_iter()
            .map(|answered| answered.map(|answered| answered.reply))
            .collect()
    }

    /// An errand to this object, in a transaction of its own.
    pub fn try_errand(&mut self, what: &What) -> Result<Answer> {
        let errand = Errand {
            customer: self.customer.id().clone(),
            what: what.clone(),
        };
        self.unlock(errand.creates())?;
        self.in_transaction(|customer, sql, now, entropy| customer.run_errand(sql, &errand, now, entropy))
    }

    /// Anything that the object does in a transaction of its own.
    pub fn in_transaction<T>(
        &mut self,
        work: impl Fn(&mut Customer, &Workerd, Timestamp, &mut Seeded) -> Result<T>,
    ) -> Result<T> {
        let (now, mut done) = (Timestamp::from_millis(self.now), None);
        let (sql, customer, entropy) = (&self.sql, &mut self.customer, &mut self.entropy);
        let committed = sql.transaction(&mut || {
            done = Some(work(customer, sql, now, entropy)?);
            Ok(())
        });
        if committed.is_err() {
            self.customer.forget();
        }
        committed.map(|()| done.unwrap())
    }

    pub fn try_send(&mut self, request: &Request) -> Result<Reply> {
        self.batch(std::slice::from_ref(request)).remove(0)
    }

    pub fn send(&mut self, request: &Request) -> Reply {
        self.try_send(request).unwrap()
    }

    /// The keys under which the customer's fields are sealed, from what its vault holds.
    pub fn fields(&self) -> FieldKeys {
        let id = CustomerId::parse(CUSTOMER).unwrap();
        let masters = MasterKeys::new(self.masters.clone());
        let (dek, _) = masters.unwrap(&id, &self.vault.held().unwrap()).unwrap();
        FieldKeys::derive(&id, &dek).unwrap()
    }

    /// What is sealed in the one row that this query finds, as `row` names it.
    pub fn opened(&self, column: Column, row: &str, query: &str) -> String {
        let sealed: Vec<u8> = self
            .sql
            .raw(|db| db.query_row(query, [], |row| row.get(0)))
            .unwrap();
        String::from_utf8(self.fields().open(column, row, &sealed).unwrap()).unwrap()
    }

    /// The JSON of a success.
    pub fn json(&mut self, request: &Request) -> Value {
        match self.send(request) {
            Reply::Content { body, .. } => serde_json::from_slice(&body).unwrap(),
            other => panic!("no content: {other:?}"),
        }
    }

    /// The version of a success, as in the ETag.
    pub fn tag(&mut self, request: &Request) -> String {
        match self.send(request) {
            Reply::Content {
                version: Some(version),
                ..
            } => format!("\"{version}\""),
            other => panic!("no version: {other:?}"),
        }
    }

    /// The code of a refusal.
    pub fn refusal(&mut self, request: &Request) -> Code {
        match self.send(request) {
            Reply::Refused(error) => error.code,
            other => panic!("not refused: {other:?}"),
        }
    }

    /// Puts the customer into a status that no command reaches yet.
    pub fn set_status(&mut self, status: &str) {
        let set = "UPDATE customer SET status = ?1";
        self.sql.raw(|db| db.execute(set, [status])).unwrap();
        self.customer.forget();
    }

    /// All tables but the statistics of usage, of which a fault may lose what was not written yet.
    pub fn dump(&self) -> Dump {
        let mut dump = self.sql.raw(dump);
        dump.remove("usage");
        dump
    }

    /// The dump without the audit log: what a command changed.
    pub fn state(&self) -> Dump {
        let mut dump = self.dump();
        dump.remove("audit");
        dump
    }

    pub fn count(&self, table: &'static str) -> i64 {
        let count = format!("SELECT count(*) FROM {table}");
        self.sql
            .raw(|db| db.query_row(&count, [], |row| row.get(0)))
            .unwrap()
    }
}

fn dump(db: &rusqlite::Connection) -> Dump {
    let rows = |select: &str| {
        let mut statement = db.prepare(select).unwrap();
        let columns = statement.column_count();
        let read = |row: &rusqlite::Row<'_>| (0..columns).map(|column| row.get(column)).collect();
        let rows = statement.query_map([], read).unwrap();
        rows.collect::<rusqlite::Result<Vec<Vec<Cell>>>>().unwrap()
    };
    let schema = rows("SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY type, name");
    let mut dump = Dump::new();
    for entry in &schema {
        if let [Cell::Text(kind), Cell::Text(name), ..] = entry.as_slice()
            && kind == "table"
        {
            dump.insert(name.clone(), rows(&format!("SELECT * FROM {name} ORDER BY 1")));
        }
    }
    dump.insert("sqlite_master".to_owned(), schema);
    dump
}
