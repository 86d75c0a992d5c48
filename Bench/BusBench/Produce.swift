import ArgumentParser
import Foundation
import Messages
import ServiceKit
import Store

/// A service that writes events into its log, each in a transaction of its own.
struct Produce: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Writes events: `go <events> <rate, 0 for full speed> <writers>` on standard input.")

    @OptionGroup var options: ServiceOptions
    @Option var source = "evaluator"
    @Option(help: "Bytes of an event.") var bytes = 1024

    func run() async throws {
        let bytes = bytes
        try await Service.run(Source(stringLiteral: source), options: options, migrate: { _ in }) { context in
            let writer = Writer(store: context.store, filling: Tick.filling(for: bytes))
            return ServiceParts(background: [Loop { try await Self.obey(writer) }])
        }
    }

    private static func obey(_ writer: Writer) async throws {
        Lines.say(["ready": true])
        var written = 0
        for await words in Lines.heard() {
            guard words.count == 4, words[0] == "go", let events = Int(words[1]), let rate = Int(words[2]),
                let writers = Int(words[3])
            else { throw ValidationError("not understood: \(words.joined(separator: " "))") }
            let numbers = written..<(written + events)
            let begun = monotonic()
            if rate > 0 {
                try await writer.write(numbers, rate: rate)
            } else {
                try await writer.write(numbers, writers: writers)
            }
            written += events
            Lines.say(["begun": .int(Int(begun)), "ended": .int(Int(monotonic())), "written": .int(written)])
        }
    }
}

private struct Writer: Sendable {
    let store: StateStore
    let filling: String

    /// As fast as it goes: so many writers, each waiting for its own commit before it writes again.
    func write(_ numbers: Range<Int>, writers: Int) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for writer in 0..<writers {
                group.addTask {
                    for n in stride(from: numbers.lowerBound + writer, to: numbers.upperBound, by: writers) {
                        try await write(n, intended: monotonic())
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    /// An open loop: each event at its time, whether or not those before it are done.
    func write(_ numbers: Range<Int>, rate: Int) async throws {
        let (times, due) = AsyncStream.makeStream(of: (n: Int, intended: Int64).self)
        let begin = monotonic() + 10_000_000
        // A thread that sleeps: tasks wake too late for a thousand events a second.
        Thread.detachNewThread {
            for (index, n) in numbers.enumerated() {
                let intended = begin + Int64(index) * 1_000_000_000 / Int64(rate)
                let early = intended - monotonic()
                if early > 0 { Thread.sleep(forTimeInterval: Double(early) / 1e9) }
                due.yield((n, intended))
            }
            due.finish()
        }
        try await withThrowingDiscardingTaskGroup { group in
            for await (n, intended) in times { group.addTask { try await write(n, intended: intended) } }
        }
    }

    private func write(_ n: Int, intended: Int64) async throws {
        let filling = filling
        try await store.write { transaction in
            _ = try transaction.publish(
                Tick(n: n, intended: intended, filling: filling), subject: "bench/\(n)", key: "bench",
                because: .first(actor: "service:bench"))
        }
    }
}
