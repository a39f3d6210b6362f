# Every chore of the project.

# All tests: about fifteen minutes on two cores, from a warm target folder.
test:
    time cargo test --workspace --locked

# What continuous integration runs.
check:
    .ci/run

# The demo: a server with a co-operative that is filled already.
demo:
    cargo run -p granary-server -- demo

# sync, peers, anatomy, server, phone, console, figure.
bench what="sync":
    cargo run --release -p granary-bench -- {{what}}

# Sources of the bindings, into ffi/bindings.
bindings:
    cargo build -p granary-ffi
    for language in kotlin swift python; do cargo run -p granary-ffi --bin granary-bindgen -- generate --no-format --language $language --out-dir ffi/bindings/$language target/debug/libgranary_ffi.so; done

# The phone in the browser, into web/dist, which is kept; `web/build --check` says whether it is older than its sources.
app:
    web/build

# The README's pictures of the console, into docs/pictures. Chromium and fonts-noto-cjk must be installed.
pictures:
    cargo build -p granary-server
    cd tests/browser && npm ci --no-audit --no-fund --ignore-scripts
    node tests/browser/pictures.mjs
