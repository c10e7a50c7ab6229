import eu.europa.esig.dss.model.DSSException;
import eu.europa.esig.dss.model.x509.CertificateToken;
import eu.europa.esig.dss.service.crl.OnlineCRLSource;
import eu.europa.esig.dss.service.http.commons.CommonsDataLoader;
import eu.europa.esig.dss.service.http.commons.OCSPDataLoader;
import eu.europa.esig.dss.service.ocsp.OnlineOCSPSource;
import eu.europa.esig.dss.spi.DSSUtils;
import eu.europa.esig.dss.spi.validation.CertificateVerifier;
import eu.europa.esig.dss.spi.validation.CommonCertificateVerifier;
import eu.europa.esig.dss.spi.x509.CommonTrustedCertificateSource;
import eu.europa.esig.dss.spi.x509.aia.DefaultAIASource;
import java.io.FileInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.URI;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.Map;

/** The trust anchors, and whether more may be fetched. Nothing of the system's is trusted. */
record Trust(CommonTrustedCertificateSource anchors, boolean fetch) {
    static Trust of(Map<String, String> flags) throws IOException, CertificateException {
        CommonTrustedCertificateSource anchors = new CommonTrustedCertificateSource();
        if (flags.containsKey("--trust")) {
            try (FileInputStream in = new FileInputStream(flags.get("--trust"))) {
                for (Certificate c : CertificateFactory.getInstance("X.509").generateCertificates(in)) {
                    anchors.addCertificate(new CertificateToken((X509Certificate) c));
                }
            }
        }
        return new Trust(anchors, flags.containsKey("--fetch") || flags.getOrDefault("--level", "B").startsWith("LT"));
    }

    CertificateVerifier verifier() {
        CommonCertificateVerifier v = new CommonCertificateVerifier();
        v.setTrustedCertSources(anchors);
        if (fetch) {
            v.setOcspSource(new OnlineOCSPSource(new Loopback.Ocsp()));
            v.setCrlSource(new OnlineCRLSource(new Loopback.Any()));
            v.setAIASource(new DefaultAIASource(new Loopback.Any()));
        }
        return v;
    }

    /** Loaders that open connections to this machine only, whatever a file or certificate says. */
    static final class Loopback {
        private Loopback() {}

        static String checked(String address) {
            try {
                if (InetAddress.getByName(URI.create(address).getHost()).isLoopbackAddress()) {
                    return address;
                }
            } catch (IOException | IllegalArgumentException e) {
                throw new DSSException("not fetched: " + address, e);
            }
            throw new DSSException("not fetched: " + address);
        }

        static final class Any extends CommonsDataLoader {
            @Override
            public byte[] get(String address) {
                return super.get(checked(address));
            }

            @Override
            public byte[] post(String address, byte[] content) {
                return super.post(checked(address), content);
            }
        }

        static final class Ocsp extends OCSPDataLoader {
            @Override
            public byte[] post(String address, byte[] content) {
                return super.post(checked(address), content);
            }
        }
    }
}
