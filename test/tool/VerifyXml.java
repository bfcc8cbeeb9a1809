// XML signatures as Java verifies them (javax.xml.crypto.dsig).
//
//   java VerifyXml.java CA DIRECTORY FILE...
//
// CA is the certificate, PEM, that must have issued the signer's. Files that a signature refers to are looked for
// in DIRECTORY. Prints "valid FILE" or "INVALID FILE", a line for each.

import java.io.*;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.*;
import java.security.cert.*;
import javax.xml.crypto.*;
import javax.xml.crypto.dom.DOMURIReference;
import javax.xml.crypto.dsig.*;
import javax.xml.crypto.dsig.dom.DOMValidateContext;
import javax.xml.crypto.dsig.keyinfo.*;
import javax.xml.parsers.DocumentBuilderFactory;
import org.w3c.dom.*;

public class VerifyXml {
    static X509Certificate authority;
    static Path directory;
    static final XMLSignatureFactory factory = XMLSignatureFactory.getInstance("DOM");

    public static void main(String[] arguments) throws Exception {
        try (InputStream in = new FileInputStream(arguments[0])) {
            authority = (X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(in);
        }
        directory = Path.of(arguments[1]);
        for (int i = 2; i < arguments.length; i++)
            System.out.println((verifies(arguments[i]) ? "valid " : "INVALID ") + arguments[i]);
    }

    static boolean verifies(String file) {
        try {
            DocumentBuilderFactory builders = DocumentBuilderFactory.newInstance();
            builders.setNamespaceAware(true);
            builders.setFeature("http://apache.org/xml/features/disallow-doctype-decl", true);
            Document document = builders.newDocumentBuilder().parse(new File(file));
            markIds(document.getDocumentElement());
            NodeList found = document.getElementsByTagNameNS(XMLSignature.XMLNS, "Signature");
            DOMValidateContext context = new DOMValidateContext(new FromCertificate(), found.item(0));
            context.setURIDereferencer(new Given());
            context.setProperty("org.jcp.xml.dsig.secureValidation", false); // it refuses SHA-1
            return found.getLength() == 1 && factory.unmarshalXMLSignature(context).validate(context);
        } catch (Exception error) {
            System.err.println(file + ": " + error);
            return false;
        }
    }

    // Without a DTD no attribute is an id.
    static void markIds(Element element) {
        for (String name : new String[] {"Id", "ID", "id"})
            if (element.hasAttribute(name))
                element.setIdAttribute(name, true);
        for (Node child = element.getFirstChild(); child != null; child = child.getNextSibling())
            if (child instanceof Element inner)
                markIds(inner);
    }

    // The key of the first certificate, if the authority has issued it.
    static class FromCertificate extends KeySelector {
        public KeySelectorResult select(KeyInfo info, Purpose purpose, AlgorithmMethod method,
                XMLCryptoContext context) throws KeySelectorException {
            try {
                for (Object content : info.getContent())
                    for (Object item : ((X509Data) content).getContent())
                        if (item instanceof X509Certificate certificate) {
                            certificate.verify(authority.getPublicKey());
                            return certificate::getPublicKey;
                        }
            } catch (Exception error) {
                throw new KeySelectorException(error);
            }
            throw new KeySelectorException("no certificate");
        }
    }

    // Files from the directory, by their names; ids as they are without percent signs.
    static class Given implements URIDereferencer {
        record Decoded(String uri, String type, Node here) implements DOMURIReference {
            public String getURI() { return uri; }
            public String getType() { return type; }
            public Node getHere() { return here; }
        }

        public Data dereference(URIReference reference, XMLCryptoContext context) throws URIReferenceException {
            String uri = URLDecoder.decode(reference.getURI().replace("+", "%2B"), StandardCharsets.UTF_8);
            Node here = ((DOMURIReference) reference).getHere();
            if (uri.isEmpty() || uri.startsWith("#"))
                return factory.getURIDereferencer().dereference(new Decoded(uri, reference.getType(), here), context);
            try {
                return new OctetStreamData(Files.newInputStream(directory.resolve(uri)));
            } catch (IOException error) {
                throw new URIReferenceException(error);
            }
        }
    }
}
