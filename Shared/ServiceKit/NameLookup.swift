import Dispatch
import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Asks the system which IPv4 addresses a name has: in a container network every replica of a service is one of them.
package enum NameLookup {
    /// In the system's order; empty when nobody has the name. Waits on a thread of its own, for a name server may be slow.
    package static func addresses(of name: String) async -> [String] {
        await withCheckedContinuation { continuation in
            DispatchQueue.global().async { continuation.resume(returning: ask(name)) }
        }
    }

    /// Where this machine, or container, is reached from its neighbours; `nil` when its own name has no address.
    package static func ownAddress() -> String? {
        var name = [CChar](repeating: 0, count: 256)
        guard gethostname(&name, name.count - 1) == 0 else { return nil }
        let text = String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        return ask(text).first { !$0.hasPrefix("127.") }
    }

    private static func ask(_ name: String) -> [String] {
        var hints = addrinfo()
        hints.ai_family = AF_INET
        // One line for each address, not one for each kind of socket.
        hints.ai_protocol = Int32(IPPROTO_TCP)
        var list: UnsafeMutablePointer<addrinfo>?
        var code = getaddrinfo(name, nil, &hints, &list)
        // A container engine's name server is away for a moment whenever a container comes or goes.
        for _ in 1...5 where code == EAI_AGAIN {
            usleep(200_000)
            code = getaddrinfo(name, nil, &hints, &list)
        }
        guard code == 0 else { return [] }
        defer { freeaddrinfo(list) }
        var found: [String] = []
        var next = list
        while let entry = next {
            var text = [CChar](repeating: 0, count: Int(INET_ADDRSTRLEN))
            if getnameinfo(
                entry.pointee.ai_addr, entry.pointee.ai_addrlen, &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST)
                == 0
            {
                let address = String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
                if !found.contains(address) { found.append(address) }
            }
            next = entry.pointee.ai_next
        }
        return found
    }
}
