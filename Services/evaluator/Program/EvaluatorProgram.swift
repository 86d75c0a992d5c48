import ArgumentParser
import Evaluator

@main
enum Program {
    static func main() async { await EvaluatorCommand.main() }
}
