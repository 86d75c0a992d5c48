import Foundation
import Synchronization

/// Random numbers from the kernel, many at a time: every event has an id, and a system call for each half of it would
/// cost as much as to write the event down.
final class RandomWords: Sendable {
    /// What `getentropy` hands out at most at once, in words.
    private static let most = 256 / MemoryLayout<UInt64>.size
    private let left = Mutex<[UInt64]>([])

    func next() -> UInt64 {
        left.withLock { words in
            if let word = words.popLast() { return word }
            words = [UInt64](repeating: 0, count: Self.most)
            let failed = words.withUnsafeMutableBytes { getentropy($0.baseAddress, $0.count) } != 0
            guard !failed, let word = words.popLast() else {
                words = []
                return UInt64.random(in: .min ... .max)
            }
            return word
        }
    }
}
