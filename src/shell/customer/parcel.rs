//! Requests that have come together.

use super::{Object, Outgoing, refuse, respond_whole};
use crate::edge::parcel::{self, Letter, Told};
use crate::edge::reply::{Answer, Caching};
use crate::error::{Error, Result};
use crate::shell::body::{self, Sent};
use crate::shell::http::respond;
use crate::shell::join::join;
use crate::shell::task;
use std::rc::Rc;
use wasm_bindgen::JsValue;
use web_sys::{Request, Response};

impl Object {
    /// Answers each request of a parcel. What they have written for others is told afterwards: nobody's answer waits
    /// for what a neighbour's change has to tell.
    pub(super) async fn answer_parcel(self: &Rc<Self>, version: &str, sent: &Request) -> Response {
        let letters = match open(version, sent).await {
            Ok(letters) => letters,
            Err(error) => return respond_whole(refuse(&error, None, "unknown")),
        };
        if letters.len() > 1 {
            // All of them are to be in one transaction.
            let mut company = self.company.get();
            company.came();
            self.company.set(company);
        }
        let answers = join(
            letters
                .into_iter()
                .map(|letter| self.answer_one(letter))
                .collect(),
        )
        .await;
        let object = Rc::clone(self);
        task::run(async move {
            // The alarm tells what could not be told.
            let _ = object.tell_fresh().await;
            JsValue::UNDEFINED
        });
        let packed = parcel::pack_answers(&answers);
        let kind = "application/octet-stream";
        respond(Answer::document(200, kind, packed, Caching::Never), Vec::new())
    }

    async fn answer_one(&self, letter: Letter) -> Told {
        let answer = match self
            .answer_letter(&letter.envelope, Sent::Parcel(letter.body))
            .await
        {
            Outgoing::Whole(answer) => answer,
            Outgoing::Streamed(response) => {
                // An export must learn that nobody takes it.
                drop(response.body().map(|unwanted| unwanted.cancel()));
                refuse(&Error::fault("a stream in a parcel"), None, "unknown")
            }
        };
        Told::new(answer)
    }
}

async fn open(version: &str, sent: &Request) -> Result<Vec<Letter>> {
    parcel::unpack(version, &body::sent(sent, parcel::MAX_BYTES).await?)
}
