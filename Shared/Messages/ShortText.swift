extension String {
    /// Bytes of this text inside JSON, where control characters take six.
    package var jsonBytes: Int { unicodeScalars.reduce(0) { $0 + $1.jsonBytes } }

    /// The beginning and the end of a text that is too long for an event: the end of a log says more than its middle.
    ///
    /// - Parameter limit: bytes as JSON.
    package func shortened(to limit: Int = 8 << 10) -> String {
        guard jsonBytes > limit else { return self }
        let mark = " … "
        let room = limit - mark.jsonBytes
        let end = Self.fitting(unicodeScalars.reversed(), room - room / 4).unicodeScalars.reversed()
        return Self.fitting(unicodeScalars, room / 4) + mark + String(String.UnicodeScalarView(end))
    }

    private static func fitting(_ scalars: some Sequence<Unicode.Scalar>, _ limit: Int) -> String {
        var text = String.UnicodeScalarView()
        var bytes = 0
        for scalar in scalars {
            bytes += scalar.jsonBytes
            guard bytes <= limit else { break }
            text.append(scalar)
        }
        return String(text)
    }
}

extension Unicode.Scalar {
    fileprivate var jsonBytes: Int {
        switch value {
        case 0..<0x20, 0x7f: 6
        case 0x22, 0x5c: 2
        default: UTF8.width(self)
        }
    }
}
