import Foundation

/// Which addresses are of the public Internet: not this machine's, not a private network's, not a special purpose's
/// (IANA's registries of special-purpose addresses, RFC 6890).
package enum PublicAddress {
    /// First bytes and length in bits of what is not public.
    private static let reserved4: [(UInt32, Int)] = [
        (0x0000_0000, 8), (0x0a00_0000, 8), (0x6440_0000, 10), (0x7f00_0000, 8), (0xa9fe_0000, 16), (0xac10_0000, 12),
        (0xc000_0000, 24), (0xc000_0200, 24), (0xc058_6300, 24), (0xc0a8_0000, 16), (0xc612_0000, 15),
        (0xc633_6400, 24), (0xcb00_7100, 24), (0xe000_0000, 4), (0xf000_0000, 4),
    ]

    /// - Parameter bytes: four of IPv4, or sixteen of IPv6.
    package static func holds(_ bytes: [UInt8]) -> Bool {
        switch bytes.count {
        case 4: holds4(bytes)
        case 16: holds6(bytes)
        default: false
        }
    }

    /// A host as it stands in a URL; `nil` for a name.
    package static func holds(literal host: String) -> Bool? {
        let text = host.hasPrefix("[") ? String(host.dropFirst().prefix { $0 != "]" }) : host
        var bytes = [UInt8](repeating: 0, count: 16)
        if inet_pton(AF_INET6, text, &bytes) == 1 { return holds(bytes) }
        // Also in the short and octal forms that a resolver takes.
        var address = in_addr()
        guard inet_aton(text, &address) != 0 else { return nil }
        return withUnsafeBytes(of: address.s_addr) { holds(Array($0)) }
    }

    private static func holds4(_ bytes: [UInt8]) -> Bool {
        let address = bytes.reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        return !reserved4.contains { first, bits in address >> (32 - bits) == first >> (32 - bits) }
    }

    private static let words4: [[UInt8]] = [
        [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff], [0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0],
    ]

    private static func holds6(_ bytes: [UInt8]) -> Bool {
        // ::ffff:0:0/96 is IPv4 in other words, and 64:ff9b::/96 is IPv4 behind a translator.
        if words4.contains(Array(bytes.prefix(12))) { return holds4(Array(bytes.suffix(4))) }
        guard bytes[0] >> 5 == 1 else { return false }
        let first = UInt32(bytes[0]) << 24 | UInt32(bytes[1]) << 16 | UInt32(bytes[2]) << 8 | UInt32(bytes[3])
        // 2001::/23 protocols, 2001:db8::/32 and 3fff::/20 documentation, 2002::/16 IPv4 in other words.
        return first >> 9 != 0x2001_0000 >> 9 && first != 0x2001_0db8 && first >> 12 != 0x3fff_0000 >> 12
            && first >> 16 != 0x2002
    }
}
