//! The keys of devices, and what is sent to devices.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{Happening, Held, Town};

/// A device, as far as it told.
#[derive(Default)]
pub(super) struct Device {
    keys: Value,
    one_time: BTreeMap<String, Value>,
    fallback: BTreeMap<String, Value>,
    fallback_used: bool,
}

impl Town {
    /// The devices of a user that have keys.
    pub fn devices(&self, name: &str) -> Vec<String> {
        let (held, user) = (self.held(), format!("@{name}:x"));
        held.devices.keys().filter(|(of, _)| *of == user).map(|(_, device)| device.clone()).collect()
    }

    /// A user's devices as they are told to the user: one has no keys.
    pub(super) fn own_devices(&self, user: &str) -> Value {
        let held = self.held();
        let of = held.devices.keys().filter(|(of, _)| of == user);
        let mut devices: Vec<_> = of
            .map(|(_, device)| json!({ "device_id": device, "display_name": format!("{device} of {user}"), "last_seen_ts": 1_700_000_000_000_u64 }))
            .collect();
        devices.push(json!({ "device_id": "OLD", "display_name": null }));
        json!({ "devices": devices })
    }

    /// The number of one-time keys that a user's devices have here.
    pub fn one_time_keys(&self, name: &str) -> usize {
        let (held, user) = (self.held(), format!("@{name}:x"));
        let devices = held.devices.iter().filter(|((of, _), _)| *of == user);
        devices.map(|(_, device)| device.one_time.len()).sum()
    }
}

impl Held {
    pub(super) fn upload_keys(&mut self, asker: (String, String), body: &Value) -> Value {
        let user = asker.0.clone();
        let device = self.devices.entry(asker).or_default();
        let is_new = body["device_keys"].is_object() && device.keys != body["device_keys"];
        if is_new {
            device.keys = body["device_keys"].clone();
        }
        let entries = |name: &str| body[name].as_object().cloned().unwrap_or_default();
        device.one_time.extend(entries("one_time_keys"));
        let fallback = entries("fallback_keys");
        if !fallback.is_empty() {
            device.fallback = fallback.into_iter().collect();
            device.fallback_used = false;
        }
        let count = device.one_time.len();
        if is_new {
            self.stream.push(Happening::Devices { user });
        }
        json!({ "one_time_key_counts": { "signed_curve25519": count } })
    }

    /// A device is logged out: it is none any more.
    pub(super) fn forget(&mut self, asker: (String, String)) {
        self.devices.remove(&asker);
        self.stream.push(Happening::Devices { user: asker.0 });
    }

    pub(super) fn query_keys(&self, body: &Value) -> Value {
        let mut users = Map::new();
        for user in body["device_keys"].as_object().unwrap().keys() {
            let devices =
                self.devices.iter().filter(|((of, _), device)| of == user && device.keys.is_object());
            let devices = devices.map(|((_, id), device)| (id.clone(), device.keys.clone()));
            users.insert(user.clone(), Value::Object(devices.collect()));
        }
        json!({ "device_keys": users, "failures": {} })
    }

    pub(super) fn claim_keys(&mut self, body: &Value) -> Value {
        let mut users = json!({});
        for (user, devices) in body["one_time_keys"].as_object().unwrap() {
            for id in devices.as_object().unwrap().keys() {
                let Some(device) = self.devices.get_mut(&(user.clone(), id.clone())) else { continue };
                let (name, key) = match device.one_time.pop_first() {
                    Some(key) => key,
                    None => {
                        device.fallback_used = true;
                        let Some((name, key)) = device.fallback.first_key_value() else { continue };
                        (name.clone(), key.clone())
                    }
                };
                users[user][id] = json!({ name: key });
            }
        }
        json!({ "one_time_keys": users, "failures": {} })
    }

    pub(super) fn send_to_device(
        &mut self,
        (sender, _): (String, String),
        kind: &str,
        body: &Value,
    ) -> Value {
        for (user, devices) in body["messages"].as_object().unwrap() {
            for (device, content) in devices.as_object().unwrap() {
                let known =
                    self.devices.keys().filter(|(of, id)| of == user && (device == "*" || device == id));
                let event = json!({ "sender": sender, "type": kind, "content": content });
                let sent: Vec<_> = known
                    .map(|(user, device)| {
                        let (user, device) = (user.clone(), device.clone());
                        Happening::ToDevice { user, device, event: event.clone() }
                    })
                    .collect();
                self.back.as_mut().unwrap_or(&mut self.stream).extend(sent);
            }
        }
        json!({})
    }

    /// Adds to a sync what is for a device.
    pub(super) fn sync_keys(
        &self,
        answer: &mut Value,
        (user, device): &(String, String),
        since: Option<usize>,
    ) {
        let (mut events, mut changed) = (Vec::new(), Vec::new());
        for happening in &self.stream[since.unwrap_or(0)..] {
            match happening {
                Happening::ToDevice { user: to, device: of, event } if (to, of) == (user, device) => {
                    events.push(event);
                }
                Happening::Devices { user: of } => changed.push(of.clone()),
                // Of whom somebody meets anew nothing was told before.
                Happening::Event { event, .. } if event["type"] == "m.room.member" => {
                    changed.push(event["state_key"].as_str().unwrap_or_default().to_owned());
                }
                _ => {}
            }
        }
        answer["to_device"] = json!({ "events": events });
        if since.is_some() {
            changed.sort();
            changed.dedup();
            let (near, far): (Vec<_>, Vec<_>) =
                changed.into_iter().partition(|of| of == user || self.share_a_room(of, user));
            answer["device_lists"] = json!({ "changed": near, "left": far });
        }
        let held = self.devices.get(&(user.clone(), device.clone()));
        let count = held.map_or(0, |device| device.one_time.len());
        answer["device_one_time_keys_count"] = json!({ "signed_curve25519": count });
        let unused = held.is_some_and(|device| !device.fallback.is_empty() && !device.fallback_used);
        let unused: &[&str] = if unused { &["signed_curve25519"] } else { &[] };
        answer["device_unused_fallback_key_types"] = json!(unused);
    }
}
