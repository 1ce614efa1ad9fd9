//! Does by chance what an actor can do, and tells others to do the same with less strength.

use crate::bindings::theater::simple::message_server_host as messages;
use crate::bindings::theater::simple::supervisor;
use crate::{Done, text};

/// Actors that a storm may speak to.
const ACTORS: u64 = 12;

/// The xorshift generator of Marsaglia: small, and the same everywhere.
struct Chance(u64);

impl Chance {
    fn below(&mut self, most: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % most
    }

    fn actor(&mut self) -> String {
        match self.below(ACTORS + 1) {
            0 => "root".to_owned(),
            number if number > ACTORS - 3 => format!("root/puppet-1/puppet-{}", number - (ACTORS - 3)),
            number => format!("root/puppet-{number}"),
        }
    }
}

/// Does some random things; `strength` is how many generations of messages may follow.
pub(crate) fn blow(seed: u64, strength: u64, done: &mut Done) {
    let mut chance = Chance(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    for _ in 0..=chance.below(3) {
        let to = chance.actor();
        let next = match strength {
            0 => "quiet".to_owned(),
            _ => format!("storm {} {}", chance.below(u64::MAX), strength - 1),
        };
        act(&mut chance, &to, &next, done);
    }
}

fn act(chance: &mut Chance, to: &str, next: &str, done: &mut Done) {
    let reply = format!("reply yes;{next}");
    match chance.below(40) {
        0..=9 => drop(messages::send(to, next.as_bytes())),
        10..=12 => drop(messages::send_wait(to, next.as_bytes(), 50)),
        13..=18 => drop(messages::request_timeout(to, reply.as_bytes(), 50)),
        19..=20 => drop(messages::request_timeout(to, next.as_bytes(), 50)),
        21..=23 => {
            if let Ok(id) = messages::open_channel(to, format!("accept;{next}").as_bytes()) {
                done.channel = Some(id);
            }
        }
        24..=27 => {
            if let Some(id) = &done.channel {
                drop(messages::send_on_channel(id, next.as_bytes()));
            }
        }
        28 => {
            if let Some(id) = done.channel.take() {
                drop(messages::close_channel(&id));
            }
        }
        29..=31 => {
            for id in messages::list_outstanding_requests() {
                drop(messages::respond_to_request(&id, b"late"));
            }
        }
        32..=35 => drop(supervisor::spawn("manifest.toml", Some(next.as_bytes()))),
        36 => {
            let children = supervisor::list_children();
            if let Some(child) = children.get(chance.below(1 + children.len() as u64) as usize) {
                drop(supervisor::stop_child(child));
            }
        }
        37 => drop(supervisor::spawn_and_wait("manifest.toml", Some(b"shutdown 42"), Some(500))),
        38 => drop(text(next.as_bytes())),
        _ => panic!("struck by lightning"),
    }
}
