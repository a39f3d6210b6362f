//! What a server does with signals, and without its own file, before it serves. Settings that come through a pipe hold it
//! where the test wants it.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::world::{PROGRAM, World};

fn pipe(at: &Path) {
    assert!(Command::new("mkfifo").arg(at).status().unwrap().success());
}

/// A server that reads its settings from a pipe.
fn waiting(program: &Path, world: &World, settings: &Path) -> Child {
    let mut serve = Command::new(program);
    serve.args(["serve", "--listen", "127.0.0.1:0", "--folder"]).arg(world.data()).arg("--config").arg(settings);
    serve.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

// A reload right after the start ended the server.
#[test]
fn reload_at_the_start_ends_nothing() {
    let world = World::not_started();
    let settings = world.folder.path().join("settings");
    pipe(&settings);
    let mut child = waiting(Path::new(PROGRAM), &world, &settings);
    // Opens once the server reads.
    let writer = std::fs::File::options().write(true).open(&settings).unwrap();
    assert!(Command::new("kill").args(["-HUP", &child.id().to_string()]).status().unwrap().success());
    drop(writer);
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(line.starts_with("listening on"), "{line:?}");
}

#[test]
fn program_whose_file_is_gone_says_so() {
    let mut world = World::new();
    world.kill();
    let (settings, program) = (world.folder.path().join("settings"), world.folder.path().join("granary"));
    pipe(&settings);
    std::fs::copy(PROGRAM, &program).unwrap();
    let mut child = waiting(&program, &world, &settings);
    let writer = std::fs::File::options().write(true).open(&settings).unwrap();
    std::fs::remove_file(&program).unwrap();
    drop(writer);
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(!child.wait().unwrap().success());
    assert!(said.contains("this program's file was removed or replaced"), "{said}");
}
