//! All objects of a small service: the ids' and the directory's, each with its own storage, and what is watched in
//! them all the time.

use crate::support::Workerd;
use crate::support::world::{NEW_YEAR, Seeded, World};
use rusqlite::types::Value as Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::rc::Rc;
use user_api::crypto::Wrapped;
use user_api::customer::Customer;
use user_api::customer::config::Config;
use user_api::customer::errand::{Answer as Said, Errand, What as Tell};
use user_api::customer::outbox::Told;
use user_api::customer::request::{Reply, Request};
use user_api::directory::Directory;
use user_api::directory::ensure::{Ask, Heard};
use user_api::directory::errand::{Answer, Errand as Asked, What};
use user_api::email::EmailIndex;
use user_api::entropy::random;
use user_api::sql::{Sql, is_initialised};
use user_api::types::{CustomerId, Timestamp};
use user_api::vault::{Errand as KeyErrand, Held};

/// More than one, so that claims and customers lie in different objects.
pub const SHARDS: u32 = 3;

/// What matters of an id's object.
const OBJECT: &[&str] = &[
    "SELECT rev, email_index, email_claimed, email_attempt, last_attempt, pending_index, pending_attempt FROM account",
    "SELECT version, status FROM customer",
    "SELECT email_index, customer_id FROM alias_of",
    "SELECT alias, email_index FROM aliases ORDER BY 1, 2",
    "SELECT one FROM stood_aside",
    "SELECT kind, key, mark FROM outbox ORDER BY 1, 2",
    "SELECT kind, key, length(document) FROM legacy ORDER BY 1, 2",
    "SELECT count(*) FROM users",
];
/// The same of a shard.
const SHARD: &[&str] = &[
    "SELECT email_index, holder, attempt FROM claims ORDER BY 1",
    "SELECT customer_id, rev, status, email_index FROM customers ORDER BY 1",
];

pub fn id(text: &str) -> CustomerId {
    CustomerId::parse(text).unwrap()
}

/// What stands in an id's object.
#[derive(Debug, Clone, PartialEq)]
pub enum Kept {
    Nothing,
    /// The e-mails for which it stands for somebody.
    Alias(Vec<(EmailIndex, CustomerId)>),
    /// The whole row, and its account's.
    Customer {
        row: Vec<Cell>,
        is_erased: bool,
        email: EmailIndex,
        /// Whether it says that it holds its e-mail's claim; one that moved in may have it without.
        is_claimed: bool,
        /// The e-mail that it is about to change to.
        wanted: Option<EmailIndex>,
    },
}

pub struct Service {
    objects: BTreeMap<CustomerId, (Workerd, Customer)>,
    shards: BTreeMap<String, (Workerd, Directory)>,
    /// What the vaults hold.
    keys: BTreeMap<CustomerId, Wrapped>,
    /// What each id was when it was last looked at.
    seen: BTreeMap<CustomerId, Kept>,
    /// Which e-mails each customer ever had or wanted.
    ever: BTreeSet<(CustomerId, EmailIndex)>,
    /// How often each caller began.
    minted: BTreeMap<usize, u64>,
    config: Rc<Config>,
    pub now: i64,
    entropy: Seeded,
}

impl Service {
    pub fn new() -> Self {
        Self {
            objects: BTreeMap::new(),
            shards: BTreeMap::new(),
            keys: BTreeMap::new(),
            seen: BTreeMap::new(),
            ever: BTreeSet::new(),
            minted: BTreeMap::new(),
            config: Rc::new(World::config()),
            now: NEW_YEAR,
            entropy: Seeded(7),
        }
    }

    pub fn index(&self, email: &str) -> EmailIndex {
        self.config.index.email(email).unwrap()
    }

    /// An id that nobody has; that of a caller who begins for the first time is the same in every order.
    pub fn mint(&mut self, caller: usize) -> CustomerId {
        let begun = self.minted.entry(caller).or_insert(0);
        *begun += 1;
        let mut entropy = Seeded(*begun * 1_000 + caller as u64);
        CustomerId::mint(Timestamp::from_millis(NEW_YEAR), random(&mut entropy).unwrap())
    }

    /// All that matters of what is stored, without times and sealed content.
    pub fn fingerprint(&self) -> String {
        let mut all = String::new();
        let objects = self
            .objects
            .iter()
            .map(|(id, (sql, _))| (id.to_string(), sql, OBJECT));
        let shards = self
            .shards
            .iter()
            .map(|(name, (sql, _))| (name.clone(), sql, SHARD));
        for (name, sql, tables) in objects.chain(shards) {
            let _ = write!(all, "{name}: ");
            if is_initialised(sql).unwrap() {
                for select in tables {
                    let _ = write!(all, "{:?}", rows(sql, select));
                }
            }
        }
        all
    }

    /// All ids that were ever asked about.
    pub fn ids(&self) -> Vec<CustomerId> {
        self.objects.keys().cloned().collect()
    }

    /// Carries one errand out.
    pub fn ask(&mut self, ask: &Ask) -> Heard {
        self.now += 1;
        match ask {
            Ask::Customer(errand) => Heard::Customer(self.errand(errand)),
            Ask::Directory(what) => Heard::Directory(self.directory(what.clone())),
        }
    }

    fn errand(&mut self, errand: &Errand) -> Said {
        // As it travels.
        let errand: Errand = serde_json::from_slice(&serde_json::to_vec(errand).unwrap()).unwrap();
        let answer = self.decide(
            &errand.customer,
            errand.creates(),
            |customer, sql, now, entropy| customer.run_errand(sql, &errand, now, entropy),
        );
        // Records of an older service do change a customer.
        match errand.what {
            Tell::Import(_) | Tell::Cede { .. } => self.see(&errand.customer),
            _ => self.watch(&errand.customer),
        }
        serde_json::from_slice(&serde_json::to_vec(&answer).unwrap()).unwrap()
    }

    pub fn directory(&mut self, what: What) -> Answer {
        let shard = what.shard(SHARDS).unwrap().to_string();
        let (sql, directory) = self
            .shards
            .entry(shard.clone())
            .or_insert_with(|| (Workerd::new(), Directory::new(&shard).unwrap()));
        let errand = Asked { shards: SHARDS, what };
        let mut answer = None;
        sql.transaction(&mut || {
            answer = Some(directory.handle(sql, &errand)?);
            Ok(())
        })
        .unwrap();
        answer.unwrap()
    }

    /// One decision of an id's object, for which its vault is asked first.
    fn decide<T>(
        &mut self,
        id: &CustomerId,
        creates: bool,
        work: impl FnOnce(&mut Customer, &Workerd, Timestamp, &mut Seeded) -> user_api::error::Result<T>,
    ) -> T {
        let config = Rc::clone(&self.config);
        let (sql, customer) = self
            .objects
            .entry(id.clone())
            .or_insert_with(|| (Workerd::new(), Customer::new(id.clone(), config)));
        let entropy = &mut self.entropy;
        let mut next = customer.key_errand(sql, creates, entropy).unwrap();
        while let Some(errand) = next {
            if let KeyErrand::Create(made) = errand {
                self.keys.entry(id.clone()).or_insert(made);
            }
            let held = Held {
                wrapped: self.keys.get(id).cloned(),
            };
            next = customer.key_answer(sql, &held, entropy).unwrap();
        }
        let now = Timestamp::from_millis(self.now);
        let (mut work, mut done) = (Some(work), None);
        sql.transaction(&mut || {
            let work = work.take().unwrap();
            done = Some(work(customer, sql, now, entropy)?);
            Ok(())
        })
        .unwrap();
        done.unwrap()
    }

    /// Whether something was written for others and not told yet.
    pub fn is_fresh(&self, id: &CustomerId) -> bool {
        self.objects
            .get(id)
            .is_some_and(|(_, customer)| customer.has_fresh_notices())
    }

    /// Tells others what an id's object has written for them, as its alarm does; what was told, so that it can be told
    /// once more. With `is_heard` false the object does not hear that it arrived.
    pub fn tell(&mut self, id: &CustomerId, is_heard: bool) -> Vec<What> {
        if !self.objects.contains_key(id) {
            return Vec::new();
        }
        let notices = self.decide(id, false, |customer, sql, now, entropy| {
            customer.tick(sql, now, entropy)?;
            customer.notices(sql, Timestamp::MAX)
        });
        // An alarm gives up what a customer wanted, and changes nothing else.
        let own = |kept| match kept {
            Kept::Customer { row, email, .. } => Some((row, email)),
            _ => None,
        };
        let (before, now) = (self.seen.get(id).cloned(), self.kept(id));
        assert_eq!(before.and_then(own), own(now), "{id} was changed by an alarm");
        self.see(id);
        let mut all = Vec::new();
        for (notice, told) in notices {
            let what = match told {
                Told::List(listing) => What::Put(listing),
                Told::Release { index, attempt } => What::Release {
                    index,
                    holder: id.clone(),
                    attempt,
                },
                other => panic!("nobody here is erased by the core: {other:?}"),
            };
            self.directory(what.clone());
            all.push(what);
            self.decide(id, false, |customer, sql, now, _| {
                customer.noticed(sql, &notice, is_heard, now)
            });
        }
        all
    }

    /// Whether anything still waits to be told.
    pub fn waits(&self, id: &CustomerId) -> bool {
        let (sql, _) = &self.objects[id];
        is_initialised(sql).unwrap() && !rows(sql, "SELECT 1 FROM outbox").is_empty()
    }

    /// As after an eviction.
    pub fn evict(&mut self, id: &CustomerId) {
        if let Some((sql, customer)) = self.objects.get_mut(id) {
            customer.forget_key();
            sql.reopen();
        }
    }

    /// A request to the customer with that id.
    pub fn send(&mut self, id: &CustomerId, request: &Request) -> Reply {
        let reply = self.decide(id, false, |customer, sql, now, entropy| {
            customer.handle(sql, request, now, entropy)
        });
        self.see(id);
        reply.reply
    }

    /// What an id is now is what it is to stay.
    fn see(&mut self, id: &CustomerId) {
        let kept = self.kept(id);
        if let Kept::Customer { email, wanted, .. } = &kept {
            let indexes = std::iter::once(email).chain(wanted);
            self.ever.extend(indexes.map(|index| (id.clone(), *index)));
        }
        self.seen.insert(id.clone(), kept);
    }

    /// Whether this customer ever had this e-mail, or wanted it.
    pub fn ever_had(&self, id: &CustomerId, index: &EmailIndex) -> bool {
        self.ever.contains(&(id.clone(), *index))
    }

    /// Every claim that anybody holds.
    pub fn claims(&self) -> Vec<(EmailIndex, CustomerId)> {
        let select = "SELECT email_index, holder FROM claims";
        let claims = self.shards.iter().filter(|(name, _)| name.starts_with("claims"));
        claims
            .flat_map(|(_, (sql, _))| rows(sql, select))
            .map(|row| (index_of(&row[0]), id_of(&row[1])))
            .collect()
    }

    /// The customer with that id, if there is one, is erased by the test's own hand.
    pub fn erase(&mut self, id: &CustomerId) {
        if !matches!(self.kept(id), Kept::Customer { is_erased: false, .. }) {
            return;
        }
        let (sql, _) = &self.objects[id];
        sql.raw(|db| db.execute("UPDATE customer SET status = 'erased'", []))
            .unwrap();
        self.evict(id);
        self.see(id);
    }

    /// What an id is, as its storage tells.
    pub fn kept(&self, id: &CustomerId) -> Kept {
        let Some((sql, _)) = self
            .objects
            .get(id)
            .filter(|(sql, _)| is_initialised(sql).unwrap())
        else {
            return Kept::Nothing;
        };
        let bound = rows(sql, "SELECT email_index, customer_id FROM alias_of");
        let account = rows(
            sql,
            "SELECT email_index, email_claimed, pending_index FROM account",
        );
        let Some(row) = rows(sql, "SELECT * FROM customer").pop() else {
            assert_eq!(account, Vec::<Vec<Cell>>::new());
            let bound = bound.iter().map(|row| (index_of(&row[0]), id_of(&row[1])));
            return Kept::Alias(bound.collect());
        };
        assert_eq!(bound, Vec::<Vec<Cell>>::new(), "{id} is a customer and an alias");
        Kept::Customer {
            is_erased: row.contains(&Cell::Text("erased".to_owned())),
            email: index_of(&account[0][0]),
            is_claimed: account[0][1] == Cell::Integer(1),
            wanted: match &account[0][2] {
                Cell::Null => None,
                cell => Some(index_of(cell)),
            },
            row,
        }
    }

    /// The ids, with e-mails, that stand for this customer.
    pub fn aliases(&self, id: &CustomerId) -> Vec<(EmailIndex, CustomerId)> {
        let rows = rows(&self.objects[id].0, "SELECT email_index, alias FROM aliases");
        rows.iter()
            .map(|row| (index_of(&row[0]), id_of(&row[1])))
            .collect()
    }

    /// What the list's shard has of a customer: its `rev` and status.
    pub fn listed(&self, id: &CustomerId) -> Vec<Vec<Cell>> {
        let shard = user_api::directory::shard::Shard::of_customer(id, SHARDS).to_string();
        let select = format!("SELECT rev, status FROM customers WHERE customer_id = '{id}'");
        match self.shards.get(&shard) {
            Some((sql, _)) => rows(sql, &select),
            None => Vec::new(),
        }
    }

    /// What a customer says that the list has to have.
    pub fn to_be_listed(&self, id: &CustomerId) -> Vec<Vec<Cell>> {
        rows(&self.objects[id].0, "SELECT rev, status FROM account, customer")
    }

    /// Nothing is overwritten, nothing goes back: a customer's row stays as it was made, an alias stays one.
    fn watch(&mut self, id: &CustomerId) {
        let kept = self.kept(id);
        match (self.seen.get(id), &kept) {
            (None | Some(Kept::Nothing), _) => {}
            (Some(Kept::Alias(before)), Kept::Alias(now)) => assert!(
                before
                    .iter()
                    .all(|(index, _)| now.iter().any(|(other, _)| other == index)),
                "{id} lost a binding"
            ),
            (Some(before), now) => assert_eq!(before, now, "{id} was changed"),
        }
        self.see(id);
    }
}

fn index_of(cell: &Cell) -> EmailIndex {
    match cell {
        Cell::Blob(bytes) => EmailIndex::from_stored(bytes).unwrap(),
        other => panic!("no index: {other:?}"),
    }
}

fn id_of(cell: &Cell) -> CustomerId {
    match cell {
        Cell::Text(text) => id(text),
        other => panic!("no id: {other:?}"),
    }
}

fn rows(sql: &Workerd, select: &str) -> Vec<Vec<Cell>> {
    sql.raw(|db| {
        let mut statement = db.prepare_cached(select).unwrap();
        let columns = statement.column_count();
        let read = |row: &rusqlite::Row<'_>| (0..columns).map(|column| row.get(column)).collect();
        let rows = statement.query_map([], read).unwrap();
        rows.collect::<rusqlite::Result<_>>().unwrap()
    })
}
