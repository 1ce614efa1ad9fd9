# `nix develop`: a shell with everything that `cargo xtask ci` needs. `nix build`: the `theater` program.
{
  description = "Erlang-style WebAssembly actors whose every run is a verifiable, replayable, diffable file";

  inputs = {
    nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";
    rust-overlay = {
      url = "github:oxalica/rust-overlay";
      inputs.nixpkgs.follows = "nixpkgs";
    };
  };

  outputs = { self, nixpkgs, rust-overlay }:
    let
      systems = [ "x86_64-linux" "aarch64-linux" "x86_64-darwin" "aarch64-darwin" ];
      eachSystem = nixpkgs.lib.genAttrs systems;
      workspace = (builtins.fromTOML (builtins.readFile ./Cargo.toml)).workspace.package;

      pkgsFor = system: import nixpkgs {
        inherit system;
        overlays = [ rust-overlay.overlays.default ];
      };

      # Here, and not in rust-toolchain.toml, the target for guests is asked for: Nix has no rustup to do it later.
      rustFor = pkgs: pkgs.rust-bin.stable.latest.default.override {
        extensions = [ "clippy" "rust-analyzer" "rust-src" "rustfmt" ];
        targets = [ "wasm32-unknown-unknown" ];
      };
    in
    {
      packages = eachSystem (system:
        let
          pkgs = pkgsFor system;
          rust = rustFor pkgs;
          platform = pkgs.makeRustPlatform { cargo = rust; rustc = rust; };
        in
        {
          default = platform.buildRustPackage {
            pname = "theater";
            version = workspace.version;
            src = self;
            cargoLock.lockFile = ./Cargo.lock;
            cargoBuildFlags = [ "--package" "theater-cli" ];
            # The tests build guests with their own dependencies, for which a sealed build has no network.
            doCheck = false;
            nativeBuildInputs = [ pkgs.makeWrapper ];
            postInstall = ''
              wrapProgram $out/bin/theater --suffix PATH : ${pkgs.lib.makeBinPath [ rust pkgs.stdenv.cc ]}
            '';
            meta = {
              description = "Erlang-style WebAssembly actors whose every run is a verifiable, replayable, diffable file";
              license = pkgs.lib.licenses.asl20;
              mainProgram = "theater";
            };
          };
        });

      devShells = eachSystem (system:
        let pkgs = pkgsFor system; in
        {
          default = pkgs.mkShell {
            packages = [ (rustFor pkgs) pkgs.cargo-deny pkgs.cargo-insta pkgs.cargo-nextest pkgs.git ]
              ++ pkgs.lib.optional pkgs.stdenv.isLinux pkgs.valgrind;
          };
        });

      formatter = eachSystem (system: (pkgsFor system).nixpkgs-fmt);
    };
}
