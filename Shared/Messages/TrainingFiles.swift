import Foundation

/// A file that training code left and that cannot be used.
package struct OutputFileError: Error, Hashable, CustomStringConvertible {
    package var file: String
    package var problem: String

    package init(file: String, problem: String) {
        self.file = file
        self.problem = problem
    }

    package var description: String { "\(file): \(problem)" }
}

/// Reads what training code leaves in its output folder.
package enum TrainingFiles {
    /// Numbers by name; what JSON has no word for becomes the texts `NaN`, `Infinity` and `-Infinity`.
    ///
    /// Python writes those three bare, and pandas writes null for NaN: both are accepted.
    package static func metrics(_ bytes: Data) throws(OutputFileError) -> [String: JSONValue] {
        let file = "metrics.json"
        var metrics: [String: JSONValue] = [:]
        for (name, value) in try object(bytes, file: file) {
            switch value {
            case .int: metrics[name] = value
            case .double(let number) where number.isFinite: metrics[name] = value
            case .double(let number):
                metrics[name] = .string(number.isNaN ? "NaN" : number > 0 ? "Infinity" : "-Infinity")
            case .null: metrics[name] = "NaN"
            case .string(let text) where ["NaN", "Infinity", "-Infinity"].contains(text): metrics[name] = value
            case .bool, .string, .array, .object:
                throw OutputFileError(
                    file: file, problem: "'\(name)' is \(kind(value)); a metric is a number: {\"mse\": 0.25}")
            }
        }
        return metrics
    }

    /// Texts by name; what is no scalar is kept as its JSON.
    package static func parameters(_ bytes: Data) throws(OutputFileError) -> [String: String] {
        texts(try object(bytes, file: "params.json"))
    }

    package static func texts(_ values: [String: JSONValue]) -> [String: String] {
        values.mapValues { value in
            value.scalarText ?? (try? Wire.encode(value)).map { String(decoding: $0, as: UTF8.self) } ?? ""
        }
    }

    package static func object(_ bytes: Data, file: String) throws(OutputFileError) -> [String: JSONValue] {
        let value: JSONValue
        do {
            value = try Wire.decode(JSONValue.self, from: quotingBareNumbers(bytes))
        } catch {
            throw OutputFileError(file: file, problem: "not JSON: \(reason(error))")
        }
        guard let members = value.object else {
            throw OutputFileError(
                file: file, problem: "holds \(kind(value)) where an object is expected: {\"name\": value}")
        }
        return members
    }

    /// Puts `NaN`, `Infinity` and `-Infinity` into quotation marks where they stand outside of strings.
    static func quotingBareNumbers(_ bytes: Data) -> Data {
        let words = ["NaN", "-Infinity", "Infinity"].map { Data($0.utf8) }
        guard words.contains(where: { bytes.range(of: $0) != nil }) else { return bytes }
        var quoted = Data()
        var rest = bytes[...]
        var isInString = false
        while let byte = rest.first {
            if isInString, byte == UInt8(ascii: "\\") {
                quoted += rest.prefix(2)
                rest = rest.dropFirst(2)
            } else if !isInString, let word = words.first(where: { rest.starts(with: $0) }) {
                quoted += Data("\"".utf8) + word + Data("\"".utf8)
                rest = rest.dropFirst(word.count)
            } else {
                if byte == UInt8(ascii: "\"") { isInString.toggle() }
                quoted.append(byte)
                rest = rest.dropFirst()
            }
        }
        return quoted
    }

    private static func reason(_ error: any Error) -> String {
        guard case DecodingError.dataCorrupted(let context) = error else { return "\(error)" }
        let detail = (context.underlyingError as NSError?)?.userInfo[NSDebugDescriptionErrorKey] as? String
        return detail ?? context.debugDescription
    }

    private static func kind(_ value: JSONValue) -> String {
        switch value {
        case .null: "null"
        case .bool: "true or false"
        case .int, .double: "a number"
        case .string(let text): "the text '\(text.prefix(40))'"
        case .array: "a list"
        case .object: "an object"
        }
    }
}
