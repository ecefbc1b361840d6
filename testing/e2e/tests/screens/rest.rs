use haos_e2e::screen::ScreenCommand as C;
use serde_json::{Value, json};

use crate::script::Script;
use crate::{check, truth};

/// Lets everything come to rest, and compares.
pub(crate) async fn check(mut script: Script) {
    script.gather().await;
    let (scene, began) = (&script.scene, script.began);
    for person in &scene.people {
        let refused = person.must(C::Sent).await["refused"].take();
        for row in refused.as_array().unwrap() {
            println!("{}: {}", person.name, row["row"]);
            script.touched.insert(row["item"].as_str().unwrap().to_owned());
        }
        println!("{:.0?}: {} has sent all that can be sent", began.elapsed(), person.name);
    }
    for room in &scene.rooms {
        let topic = json!({ "topic": "the end" });
        let end = scene.cora.set_state(room, "m.room.topic", "", &topic).await.unwrap();
        for person in &scene.people {
            person.must(C::Sees { room: room.clone(), event: end.clone() }).await;
            person.must(C::Read { room: room.clone() }).await;
        }
        let receipt = ["rooms", room, "receipt", "m.read", &end];
        scene.cora.call("POST", &receipt, &json!({})).await.unwrap();
        for (person, other) in [(0, 1), (1, 0)] {
            for user in [scene.people[other].user(), scene.cora.user_id()] {
                let reads = C::Reads { room: room.clone(), user: user.to_owned() };
                scene.people[person].must(reads).await;
            }
        }
    }
    println!("{:.0?}: both have seen the end", began.elapsed());
    typing(&script).await;
    let mut history = Vec::new();
    for room in &scene.rooms {
        history.extend(scene.cora.history(room).await.unwrap());
    }
    let sent = truth::once(&history, &script.taken, &script.touched);
    let files = truth::files(&scene.cora, &history, scene.folder.path()).await;
    let mut differences = Vec::new();
    let mut screens = Vec::new();
    for person in &scene.people {
        let screen = person.screen().await;
        differences.extend(screen.differences.iter().map(|found| format!("{}: {found}", person.name)));
        screens.push(screen);
    }
    for room in &scene.rooms {
        let mut truth = truth::lines(&scene.cora, room).await;
        for (person, screen) in scene.people.iter().zip(&screens) {
            let mut shown = screen.timelines[room].clone();
            // The others have read all of it, by the test above.
            for line in truth.iter_mut().chain(&mut shown) {
                line.readers.clear();
            }
            differences.extend(
                check::beside(&shown, &truth)
                    .iter()
                    .map(|found| format!("{} in {room}, beside the server: {found}", person.name)),
            );
        }
    }
    differences.extend(check::screens(&screens, &scene.people));
    let items: Vec<usize> =
        screens.iter().map(|screen| screen.timelines.values().map(Vec::len).sum()).collect();
    let kills: Vec<usize> = scene.people.iter().map(|person| person.kills).collect();
    println!(
        "{:.0?}: {} events, {sent} texts, {files} files, {items:?} items on the screens, {kills:?} kills",
        began.elapsed(),
        history.len()
    );
    assert!(differences.is_empty(), "{} differences: {differences:#?}", differences.len());
    for person in &scene.people {
        person.stop().await;
    }
}

/// Each sees that the other types, and stops.
async fn typing(script: &Script) {
    let scene = &script.scene;
    let room = &scene.rooms[0];
    for is_typing in [true, false] {
        for person in &scene.people {
            person.must(C::Typing { room: room.clone(), is_typing }).await;
        }
        for (person, other) in [(0, 1), (1, 0)] {
            let users = is_typing.then(|| scene.people[other].user().to_owned()).into_iter().collect();
            let told: Value = scene.people[person].must(C::Types { room: room.clone(), users }).await;
            assert_eq!(told, json!({}));
        }
    }
}
