import ArgumentParser

/// The programs that `Bench/bus.py` measures Martlet's bus with: services made of nothing but the shared modules.
///
/// Each says what it found as lines of JSON on standard output and is told what to do by lines on standard input.
@main
struct BusBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "BusBench", abstract: "Parts of `make bench-bus`; not for use by itself.",
        subcommands: [Keys.self, Want.self, Produce.self, Consume.self, Ask.self, Hold.self])
}
