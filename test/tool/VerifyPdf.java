// Signatures in PDFs as PDFBox finds them and Bouncy Castle verifies them.
//
//   java -cp pdfbox2.jar:bcpkix.jar:... VerifyPdf.java CA FILE...
//
// CA is the certificate, PEM, that must have issued the signers'. Prints "valid N FILE" for a file with N signatures, all
// valid, of which the last one covers the whole file, else "INVALID FILE"; a line for each.

import java.io.*;
import java.security.cert.*;
import java.util.*;
import org.apache.pdfbox.pdmodel.PDDocument;
import org.apache.pdfbox.pdmodel.interactive.digitalsignature.PDSignature;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cms.*;
import org.bouncycastle.cms.jcajce.JcaSimpleSignerInfoVerifierBuilder;

public class VerifyPdf {
    static X509Certificate authority;

    public static void main(String[] arguments) throws Exception {
        try (InputStream in = new FileInputStream(arguments[0])) {
            authority = (X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(in);
        }
        for (int i = 1; i < arguments.length; i++) {
            int count = verified(new File(arguments[i]));
            System.out.println((count > 0 ? "valid " + count + " " : "INVALID ") + arguments[i]);
        }
    }

    // How many signatures; 0 when one is not valid.
    static int verified(File file) {
        try (PDDocument document = PDDocument.load(file)) {
            List<PDSignature> signatures = document.getSignatureDictionaries();
            long covered = 0;
            for (PDSignature signature : signatures) {
                try (InputStream hole = new FileInputStream(file); InputStream signed = new FileInputStream(file)) {
                    verify(signature.getContents(hole), signature.getSignedContent(signed));
                }
                int[] range = signature.getByteRange();
                covered = Math.max(covered, (long) range[2] + range[3]);
            }
            if (covered != file.length())
                throw new IOException("something is added behind what is signed");
            return signatures.size();
        } catch (Exception error) {
            System.err.println(file + ": " + error);
            return 0;
        }
    }

    static void verify(byte[] contents, byte[] content) throws Exception {
        CMSSignedData cms = new CMSSignedData(new CMSProcessableByteArray(content), contents);
        SignerInformation signer = cms.getSignerInfos().getSigners().iterator().next();
        @SuppressWarnings("unchecked")
        X509CertificateHolder found = (X509CertificateHolder) cms.getCertificates().getMatches(signer.getSID()).iterator().next();
        X509Certificate certificate = (X509Certificate) CertificateFactory.getInstance("X.509")
            .generateCertificate(new ByteArrayInputStream(found.getEncoded()));
        certificate.verify(authority.getPublicKey());
        if (cms.getSignerInfos().size() != 1 || !signer.verify(new JcaSimpleSignerInfoVerifierBuilder().build(certificate)))
            throw new CMSException("the signature is not valid");
    }
}
