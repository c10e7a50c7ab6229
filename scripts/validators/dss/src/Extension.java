import eu.europa.esig.dss.enumerations.SignatureLevel;
import eu.europa.esig.dss.model.DSSDocument;
import eu.europa.esig.dss.model.FileDocument;
import eu.europa.esig.dss.pades.PAdESSignatureParameters;
import eu.europa.esig.dss.pades.signature.PAdESService;
import eu.europa.esig.dss.service.http.commons.TimestampDataLoader;
import eu.europa.esig.dss.service.tsp.OnlineTSPSource;
import java.io.File;
import java.util.Map;

/** Lifts the signatures of a file to a level. */
record Extension(Map<String, String> flags, Trust trust) implements Dss.Work {
    @Override
    public Json on(File in, File out) throws Exception {
        PAdESSignatureParameters parameters = new PAdESSignatureParameters();
        parameters.setSignatureLevel(level(flags));
        DSSDocument extended = service(flags, trust).extendDocument(new FileDocument(in), parameters);
        extended.save(out.getPath());
        return new Json().put("out", out.getPath());
    }

    static SignatureLevel level(Map<String, String> flags) {
        return SignatureLevel.valueOf("PAdES_BASELINE_" + flags.getOrDefault("--level", "B"));
    }

    static PAdESService service(Map<String, String> flags, Trust trust) {
        PAdESService service = new PAdESService(trust.verifier());
        if (flags.containsKey("--tsa")) {
            service.setTspSource(new OnlineTSPSource(Trust.Loopback.checked(flags.get("--tsa")), new TimestampDataLoader()));
        }
        return service;
    }
}
