import java.io.File;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A command line for EU DSS, PDFBox and OpenPDF, many files in one run:
 *
 * <pre>
 * dss validate --trust ROOTS.pem [--fetch] FILE...
 * dss sign --p12 FILE --pass WORD --level B|T|LT|LTA [--tsa URL --trust ROOTS.pem] [--certify 1|2|3] [--field NAME] [IN OUT]...
 * dss extend --level T|LT|LTA --tsa URL --trust ROOTS.pem [IN OUT]...
 * dss pdfbox FILE...
 * dss openpdf --p12 FILE --pass WORD [IN OUT]...
 * </pre>
 *
 * One JSON object is printed for each file; one with "error" for a file that could not be
 * worked on. Exit status 0 if every file was, else 1. With --fetch, and for LT and LTA,
 * revocation data is fetched, from loopback addresses only.
 */
public final class Dss {
    /** Words of the command line that a flag takes no value after. */
    private static final List<String> SWITCHES = List.of("--fetch");

    private Dss() {}

    /** What is done with one file, or with the pair of a file and where the result goes. */
    interface Work {
        Json on(File in, File out) throws Exception;
    }

    public static void main(String[] args) throws Exception {
        Deque<String> words = new ArrayDeque<>(List.of(args));
        String command = words.isEmpty() ? "" : words.pop();
        Map<String, String> flags = new HashMap<>();
        while (!words.isEmpty() && words.peek().startsWith("--")) {
            String name = words.pop();
            flags.put(name, SWITCHES.contains(name) ? "" : words.pop());
        }
        boolean pairs = List.of("sign", "extend", "openpdf").contains(command);
        Work work = switch (command) {
            case "validate" -> new Validation(Trust.of(flags));
            case "sign" -> new Signing(flags, Trust.of(flags));
            case "extend" -> new Extension(flags, Trust.of(flags));
            case "pdfbox" -> new PdfBox();
            case "openpdf" -> new OpenPdf(flags);
            default -> throw new IllegalArgumentException("validate, sign, extend, pdfbox or openpdf, not \"" + command + '"');
        };
        boolean failed = false;
        while (!words.isEmpty()) {
            File in = new File(words.pop());
            failed |= !report(work, in, pairs ? new File(words.pop()) : null);
        }
        System.exit(failed ? 1 : 0);
    }

    private static boolean report(Work work, File in, File out) {
        Json line = new Json().put("file", in.getPath());
        try {
            line.putAll(work.on(in, out));
        } catch (Exception | StackOverflowError | OutOfMemoryError e) {
            line.put("error", String.valueOf(e));
        }
        System.out.println(line);
        return !line.has("error");
    }
}
