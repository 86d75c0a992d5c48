import Foundation
import Messages

extension String {
    /// Without what a terminal would obey: control characters other than line ends are shown as `\u{…}`.
    var printable: String {
        var shown = String.UnicodeScalarView()
        for scalar in unicodeScalars {
            if scalar.properties.generalCategory == .control, scalar != "\n" {
                shown.append(contentsOf: "\\u{\(String(scalar.value, radix: 16))}".unicodeScalars)
            } else {
                shown.append(scalar)
            }
        }
        return String(shown)
    }
}

/// Where words go: answers to standard output, everything else to standard error.
enum Terminal {
    static func complain(_ text: String) {
        FileHandle.standardError.write(Data((text.printable + "\n").utf8))
    }

    /// Written at once, also into a pipe: for answers that go on.
    static func say(_ text: String, terminator: String = "\n") {
        FileHandle.standardOutput.write(Data((text + terminator).utf8))
    }

    static func show(_ value: JSONValue) throws { print(try pretty(value)) }

    static func pretty(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }
}
