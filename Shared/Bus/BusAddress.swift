import Foundation

#if canImport(Glibc)
    import Glibc
#endif

/// Where the bus listens: three sockets, named by one address.
package struct BusAddress: Sendable, Hashable, CustomStringConvertible {
    /// `ipc:///folder`, or `tcp://host:port` with the next two ports.
    package let text: String
    /// The XSUB that publishers dial.
    package let events: String
    /// The XPUB that subscribers dial.
    package let feed: String
    /// The ROUTER that everybody asks.
    package let requests: String
    /// The folder of the sockets; `nil` for tcp.
    package let directory: String?

    package var description: String { text }

    /// - Throws: ``BusError/address(_:)``.
    package init(_ text: String) throws {
        if text.hasPrefix("ipc://") {
            try self.init(folder: String(text.dropFirst("ipc://".count)))
        } else if text.hasPrefix("tcp://") {
            try self.init(tcp: String(text.dropFirst("tcp://".count)))
        } else {
            throw BusError.address("'\(text)' is neither ipc:///folder nor tcp://127.0.0.1:port")
        }
    }

    private init(folder: String) throws {
        let folder = folder.count > 1 && folder.hasSuffix("/") ? String(folder.dropLast()) : folder
        guard folder.hasPrefix("/") else {
            throw BusError.address("'ipc://\(folder)' needs an absolute folder, as in ipc:///var/lib/martlet/bus")
        }
        guard Self.fits(folder) else {
            throw BusError.address("'\(folder)' is too long for a unix socket; use a folder of at most 90 bytes")
        }
        directory = folder
        text = "ipc://\(folder)"
        events = "ipc://\(folder)/events"
        feed = "ipc://\(folder)/feed"
        requests = "ipc://\(folder)/requests"
    }

    /// As ``init(_:)``; port 0 takes three free ones that follow each other.
    package init(choosing text: String) throws {
        guard text.hasPrefix("tcp://"), text.hasSuffix(":0") else {
            try self.init(text)
            return
        }
        let host = String(text.dropLast(2))
        for _ in 0..<200 {
            let candidate = try BusAddress("\(host):\(Int.random(in: 20_000...32_000))")
            if Self.isFree(candidate) {
                self = candidate
                return
            }
        }
        throw BusError.address("no three free ports in a row for '\(text)'; name one")
    }

    private static func isFree(_ address: BusAddress) -> Bool {
        guard let context = try? SocketContext() else { return false }
        return [address.events, address.feed, address.requests].allSatisfy { endpoint in
            guard let socket = try? Socket(.pair, in: context, options: SocketOption.pair) else { return false }
            return (try? socket.bind(to: endpoint)) != nil
        }
    }

    private init(tcp rest: String) throws {
        guard let colon = rest.lastIndex(of: ":"), let port = UInt16(rest[rest.index(after: colon)...]),
            (1...65_533).contains(port)
        else { throw BusError.address("'tcp://\(rest)' needs a port from 1 to 65533, as in tcp://127.0.0.1:5550") }
        let host = String(rest[..<colon])
        guard Self.isHost(host) else {
            throw BusError.address(
                "'tcp://\(rest)' names no host; use an address, a name, or * for all addresses, as in tcp://127.0.0.1:\(port)"
            )
        }
        directory = nil
        text = "tcp://\(host):\(port)"
        events = "tcp://\(host):\(port)"
        feed = "tcp://\(host):\(port + 1)"
        requests = "tcp://\(host):\(port + 2)"
    }

    /// The default: sockets in a folder that only this user may enter, made when missing.
    ///
    /// A unix socket's path has about 107 bytes; below a long folder the sockets live in `/tmp/martlet-<uid>-<hash>`.
    package static func embedded(in directory: String) throws -> BusAddress {
        let full = URL(fileURLWithPath: directory).standardizedFileURL.path
        let folder = fits(full) ? full : "/tmp/martlet-\(getuid())-\(shortHash(full))"
        try prepare(folder)
        return try BusAddress("ipc://\(folder)")
    }

    /// Makes the folder with mode 0700, or checks that an existing one belongs to this user and nobody else may enter.
    package static func prepare(_ folder: String) throws {
        do {
            try FileManager.default.createDirectory(
                atPath: folder,
                withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700]
            )
        } catch {
            throw BusError.address("cannot make the folder '\(folder)': \(error.localizedDescription)")
        }
        var status = stat()
        guard lstat(folder, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
            throw BusError.address("'\(folder)' is not a folder; remove it or choose another data folder")
        }
        guard status.st_uid == getuid() else {
            throw BusError.address("'\(folder)' belongs to another user; choose another data folder")
        }
        guard status.st_mode & 0o077 == 0 || chmod(folder, 0o700) == 0 else {
            throw BusError.address("'\(folder)' may be entered by others and its mode cannot be set to 0700")
        }
    }

    private static func fits(_ folder: String) -> Bool { folder.utf8.count <= 90 }

    /// Over tcp everybody has a key, also on the loopback: other users of the machine are there too.
    package var needsKeys: Bool { directory == nil }

    /// A place to listen, but none to dial.
    var isEveryAddress: Bool { ["tcp://*:", "tcp://0.0.0.0:", "tcp://[::]:"].contains { text.hasPrefix($0) } }

    /// How it is dialed from the same machine.
    package var nearby: BusAddress {
        guard isEveryAddress, let colon = text.lastIndex(of: ":") else { return self }
        return (try? BusAddress("tcp://127.0.0.1\(text[colon...])")) ?? self
    }

    private static func isHost(_ host: String) -> Bool {
        if host == "*" { return true }
        if host.hasPrefix("["), host.hasSuffix("]") {
            var parsed = in6_addr()
            return inet_pton(AF_INET6, String(host.dropFirst().dropLast()), &parsed) == 1
        }
        return (1...253).contains(host.utf8.count) && host.utf8.first != 0x2d
            && host.utf8.allSatisfy {
                (0x61...0x7a).contains($0) || (0x41...0x5a).contains($0) || (0x30...0x39).contains($0)
                    || $0 == 0x2e || $0 == 0x2d
            }
    }

    /// FNV-1a: only to tell folders apart in a name, not for secrets.
    private static func shortHash(_ text: String) -> String {
        let value = text.utf8.reduce(UInt64(0xcbf2_9ce4_8422_2325)) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01b3 }
        return String(value, radix: 16)
    }
}
