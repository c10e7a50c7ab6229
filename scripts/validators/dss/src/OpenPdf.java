import com.lowagie.text.pdf.PdfDate;
import com.lowagie.text.pdf.PdfDictionary;
import com.lowagie.text.pdf.PdfName;
import com.lowagie.text.pdf.PdfReader;
import com.lowagie.text.pdf.PdfSignature;
import com.lowagie.text.pdf.PdfSignatureAppearance;
import com.lowagie.text.pdf.PdfStamper;
import com.lowagie.text.pdf.PdfString;
import java.io.File;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.X509Certificate;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.bouncycastle.cert.jcajce.JcaCertStore;
import org.bouncycastle.cms.CMSProcessableByteArray;
import org.bouncycastle.cms.CMSSignedDataGenerator;
import org.bouncycastle.cms.jcajce.JcaSignerInfoGeneratorBuilder;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.operator.jcajce.JcaDigestCalculatorProviderBuilder;

/**
 * Adds a signature as OpenPDF, the freely licensed line of iText, writes it into a file: its own way of
 * updating, of fields and of placeholders. The CMS is Bouncy Castle's.
 */
record OpenPdf(Map<String, String> flags) implements Dss.Work {
    private static final int RESERVED = 16 << 10;

    @Override
    public Json on(File in, File out) throws Exception {
        try (PdfReader reader = new PdfReader(in.getPath()); FileOutputStream to = new FileOutputStream(out)) {
            PdfSignatureAppearance appearance = PdfStamper.createSignature(reader, to, '\0', null, true).getSignatureAppearance();
            PdfSignature signature = new PdfSignature(PdfName.ADOBE_PPKLITE, new PdfName("adbe.pkcs7.detached"));
            signature.setDate(new PdfDate());
            appearance.setCryptoDictionary(signature);
            Map<PdfName, Integer> holes = new HashMap<>();
            holes.put(PdfName.CONTENTS, 2 * RESERVED + 2);
            appearance.preClose(holes);
            byte[] cms = cms(appearance.getRangeStream().readAllBytes());
            PdfDictionary filled = new PdfDictionary();
            filled.put(PdfName.CONTENTS, new PdfString(Arrays.copyOf(cms, RESERVED)).setHexWriting(true));
            appearance.close(filled);
        }
        return new Json().put("out", out.getPath());
    }

    private byte[] cms(byte[] content) throws Exception {
        KeyStore store = KeyStore.getInstance("PKCS12");
        char[] pass = flags.get("--pass").toCharArray();
        try (FileInputStream file = new FileInputStream(flags.get("--p12"))) {
            store.load(file, pass);
        }
        String alias = store.aliases().nextElement();
        List<Certificate> chain = List.of(store.getCertificateChain(alias));
        PrivateKey key = (PrivateKey) store.getKey(alias, pass);
        CMSSignedDataGenerator generator = new CMSSignedDataGenerator();
        generator.addSignerInfoGenerator(new JcaSignerInfoGeneratorBuilder(new JcaDigestCalculatorProviderBuilder().build())
                .build(new JcaContentSignerBuilder("SHA256with" + (key.getAlgorithm().equals("RSA") ? "RSA" : "ECDSA")).build(key), (X509Certificate) chain.get(0)));
        generator.addCertificates(new JcaCertStore(chain));
        return generator.generate(new CMSProcessableByteArray(content), false).getEncoded("DER");
    }
}
