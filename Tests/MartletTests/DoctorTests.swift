import Foundation
import Glibc
import Messages
import ServiceKit
import Testing

@testable import Martlet

struct DoctorTests {
    private func inFolder(_ body: (DataPaths) throws -> Void) throws {
        let paths = DataPaths(root: NSTemporaryDirectory() + "martlet-doctor-" + UUID().uuidString)
        try paths.prepare(for: .console)
        defer { try? FileManager.default.removeItem(atPath: paths.root) }
        try body(paths)
    }

    @Test func `locks that hold leave nothing behind`() throws {
        try inFolder { paths in
            #expect(Machine.fileSystem(paths.root).state == .ok)
            let left = try FileManager.default.contentsOfDirectory(atPath: paths.root)
            #expect(left.filter { $0.hasPrefix(".") }.isEmpty)
        }
    }

    @Test func `a port that somebody has is named, with the option for another`() throws {
        let listening = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(listening) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listens = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { place in
                bind(listening, place, size) == 0 && listen(listening, 1) == 0
                    && getsockname(listening, place, &size) == 0
            }
        }
        try #require(listens)
        let port = Int(UInt16(bigEndian: address.sin_port))
        let found = Machine.free(SuitePorts(console: 0, trigger: 0, registry: 0, gateway: port))
        #expect(found.state == .warning && found.note.contains("\(port) (deployer)"))
        #expect(found.advice.contains("--gateway-port"))
        #expect(Machine.free(SuitePorts(console: 0, trigger: 0, registry: 0, gateway: 0)).state == .ok)
    }

    @Test func `what is ill among the services is named, and nobody at the bus is bad`() async {
        let suite = RunningSuite(
            ask: { _ in throw Failure("no answer") },
            status: {
                ["services": [["name": "console", "state": "ready"], ["name": "notifier", "state": "down"]]]
            })
        #expect(await suite.bus().state == .bad)
        let services = await suite.services().first
        #expect(services?.state == .bad && services?.note == "notifier is down")
    }

    @Test(
        arguments: [
            (MartletVersion.number, Finding.State.ok), ("0.0.0", .warning), (nil, .warning),
        ] as [(String?, Finding.State)])
    func `a suite of another version is told of`(running: String?, state: Finding.State) async throws {
        let suite = RunningSuite(
            ask: { _ in }, status: { ["services": [], "version": running.map { .string($0) } ?? .null] })
        let found = try #require(await suite.services().last)
        #expect(found.check == "version" && found.state == state && found.advice.isEmpty == (state == .ok))
    }

    @Test func `the advice stands under the table, with a count at the end`() {
        let text = FindingsText.render([
            .ok("clock", "2026"), .bad("room", "1.0 MiB free", do: "make room"), .warning("backups", "none", do: "x"),
        ])
        #expect(text.contains("- room: 1.0 MiB free\n  make room") && text.hasSuffix("1 bad, 1 to look at"))
        #expect(FindingsText.render([.ok("clock", "2026")]).hasSuffix("all is well"))
    }
}
