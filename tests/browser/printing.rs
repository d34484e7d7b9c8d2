//! Printed pages: Chromium prints real PDFs, and the tests check their pages and codes.

use std::path::{Path, PathBuf};
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::open_site;
use crate::support::{Site, Visitor};
use crate::tickets::{decode, open_tickets};

/// Paper sizes, as width and height in inches.
const PAPERS: [(&str, f64, f64); 7] = [
    ("Letter", 8.5, 11.0),
    ("A4", 8.27, 11.69),
    ("A5", 5.83, 8.27),
    ("A6", 4.13, 5.83),
    ("Letter, landscape", 11.0, 8.5),
    ("A4, landscape", 11.69, 8.27),
    ("A5, landscape", 8.27, 5.83),
];
/// The resolution at which a phone can still read a printed code.
const DOTS_PER_INCH: &str = "200";

#[tokio::test]
async fn printed_tickets_are_one_a_page_on_any_paper_and_can_be_scanned() {
    let site = open_site();
    let buyer = Visitor::arrive(&site).await;
    let codes = open_tickets(&buyer, &site, "General Admission", 3).await;
    let reference = format!("TK-{}", &codes[0][..9]);
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (paper, width, height) in PAPERS {
        let file = print(&buyer, folder.path(), paper, width, height).await;
        assert_eq!(codes_of_pages(&file), one_a_page(&codes), "{paper}");
        for seat in 1..=3 {
            let text = text_of_page(&file, seat);
            for part in
                ["Midnight Parade", "Ada Lovelace", "The Foundry Hall", &reference, "It admits one person"]
            {
                assert!(text.contains(part), "{part} is missing on {paper}: {text}");
            }
            assert!(
                text.contains("General Admission") && text.contains(&format!("Ticket {seat} of 3")),
                "{text}"
            );
            for noise in ["127.0.0.1", "Add to calendar", "TechKraft", "‹", "›"] {
                assert!(!text.contains(noise), "{noise} is printed on {paper}: {text}");
            }
        }
    }
}

/// A booking of one ticket, with the longest words.
#[tokio::test]
async fn one_ticket_is_one_page_however_long_its_words_are() {
    let site = open_site();
    site.add_odd_concerts();
    let name = "Wolfeschlegelsteinhausenbergerdorff ".repeat(2) + "Maximilian Hieronymus";
    let buyer = Visitor::arrive(&site).await;
    let balcony = site.tier("Donaudampfschifffahrtsgesellschaft Balcony, Unobstructed 3");
    // The server reads the list of concerts once a second.
    let card = balcony.card();
    buyer
        .until(&format!("document.querySelector('{card}') || (location.href = '/events/twelve', false)"))
        .await;
    buyer.open_checkout(&balcony).await;
    buyer.fill_in(&name, "ada@example.org").await;
    buyer.click(crate::support::CONFIRM).await;
    buyer.see("dialog .ticket__qr").await;
    buyer.driver().refresh().await.expect("a page");
    buyer.see("#main .ticket__qr").await;
    let codes: Vec<String> =
        buyer.ask("[...document.querySelectorAll('[data-ticket-code]')].map((it) => it.textContent)").await;
    assert_eq!(codes.len(), 1);
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (paper, width, height) in PAPERS {
        let file = print(&buyer, folder.path(), paper, width, height).await;
        assert_eq!(codes_of_pages(&file), one_a_page(&codes), "{paper}");
        let text = text_of_page(&file, 1);
        assert!(
            text.contains("Distinguished Friends") && text.contains("Maximilian Hieronymus"),
            "{paper}: {text}"
        );
    }
}

#[tokio::test]
async fn the_confirmation_in_the_dialog_prints_the_tickets() {
    let site = open_site();
    let buyer = Visitor::arrive(&site).await;
    buyer.book(&site.tier("VIP"), 2).await;
    buyer.see("dialog .ticket__qr").await;
    let codes: Vec<String> =
        buyer.ask("[...document.querySelectorAll('[data-ticket-code]')].map((it) => it.textContent)").await;
    assert_eq!(codes.len(), 2);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = print(&buyer, folder.path(), "dialog", 8.5, 11.0).await;
    assert_eq!(codes_of_pages(&file), one_a_page(&codes));
    let text = text_of_page(&file, 1);
    assert!(text.contains("Ticket 1 of 2") && !text.contains("going"), "{text}");

    // Once the dialog is closed, the page behind it is printed.
    buyer.close_dialog().await;
    let file = print(&buyer, folder.path(), "concert", 8.5, 11.0).await;
    assert!(codes_of_pages(&file).iter().all(Vec::is_empty));
    assert!(text_of_page(&file, 1).contains("General Admission"));
}

#[tokio::test]
async fn the_concert_and_the_sale_are_printed_whole() {
    let site = open_site();
    site.add_odd_concerts();
    let buyer = Visitor::arrive(&site).await;
    book_under_a_long_name(&buyer, &site).await;
    let folder = tempfile::tempdir().expect("a temporary folder");
    buyer.visit("/events/midnight-parade").await;
    let file = print(&buyer, folder.path(), "concert", 8.5, 11.0).await;
    let text = text_of_page(&file, 1);
    for part in ["Midnight Parade", "Saturday, June 19, 2027", "$100.00", "You can cancel your booking until"]
    {
        assert!(text.contains(part), "{part} is missing: {text}");
    }
    assert_eq!(rasterize(&file).len(), 1, "a concert with three ticket types is one page");
    buyer.cdp("Emulation.setEmulatedMedia", json!({ "media": "print" })).await;
    let color: String = buyer.ask("getComputedStyle(document.querySelector('h1')).color").await;
    assert_eq!(color, "rgb(0, 0, 0)", "the title is black on white");
    buyer.cdp("Emulation.setEmulatedMedia", json!({ "media": "" })).await;

    buyer.sign_in(&site).await;
    for (paper, width, height) in PAPERS.into_iter().filter(|(paper, ..)| *paper != "A6") {
        let file = print(&buyer, folder.path(), paper, width, height).await;
        let text = poppler_text(&file, &["-raw"]).split_whitespace().collect::<Vec<_>>().join(" ");
        for part in ["Status", "Confirmed", "Email", "Maximilian", "Revenue", "1,300", "KWD"] {
            assert!(text.contains(part), "{part} of the sale is cut off on {paper}: {text}");
        }
        let words = words_beside(&file);
        assert!(words.is_empty(), "beside the paper on {paper}: {words:?}");
    }
}

async fn book_under_a_long_name(buyer: &Visitor, site: &Site) {
    buyer.visit("/events/midnight-parade").await;
    buyer.open_checkout(&site.tier("VIP")).await;
    buyer
        .fill_in(
            "Wolfeschlegelsteinhausenbergerdorff Maximilian Hieronymus",
            "a.very.long.address@mail.example.org",
        )
        .await;
    buyer.click(crate::support::CONFIRM).await;
    buyer.see("[data-booked]").await;
}

/// Saves the page as a PDF, with the header and footer that browsers print.
async fn print(visitor: &Visitor, folder: &Path, name: &str, width: f64, height: f64) -> PathBuf {
    let file = folder.join(format!("{name}.pdf"));
    let paper = json!({ "paperWidth": width, "paperHeight": height, "displayHeaderFooter": true });
    let pdf = visitor.cdp("Page.printToPDF", paper).await;
    let bytes = STANDARD.decode(pdf["data"].as_str().expect("a file")).expect("base64");
    std::fs::write(&file, bytes).expect("the file can be written");
    file
}

fn one_a_page(codes: &[String]) -> Vec<Vec<String>> {
    codes.iter().map(|code| vec![code.clone()]).collect()
}

/// The codes that a scanner reads on each page.
fn codes_of_pages(pdf: &Path) -> Vec<Vec<String>> {
    rasterize(pdf).iter().map(|page| decode(page)).collect()
}

/// Renders the pages in gray, as a cheap printer prints them.
fn rasterize(pdf: &Path) -> Vec<PathBuf> {
    let pages = pdf.with_extension("pages");
    let _ = std::fs::remove_dir_all(&pages);
    std::fs::create_dir(&pages).expect("a folder");
    let poppler = Command::new("pdftoppm")
        .args(["-r", DOTS_PER_INCH, "-gray", "-png"])
        .args([pdf, &pages.join("page")])
        .status()
        .expect("pdftoppm is installed: `apt-get install poppler-utils`");
    assert!(poppler.success());
    let mut pages: Vec<_> =
        pages.read_dir().expect("a folder").map(|entry| entry.expect("a page").path()).collect();
    pages.sort();
    pages
}

fn text_of_page(pdf: &Path, page: u32) -> String {
    let page = page.to_string();
    let text = poppler_text(pdf, &["-f", &page, "-l", &page]);
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn poppler_text(pdf: &Path, options: &[&str]) -> String {
    let poppler = Command::new("pdftotext").args(options).arg(pdf).arg("-").output();
    let text = poppler.expect("pdftotext is installed: `apt-get install poppler-utils`").stdout;
    String::from_utf8_lossy(&text).into_owned()
}

/// The words that begin or end outside of their page.
fn words_beside(pdf: &Path) -> Vec<String> {
    let number = |line: &str, name: &str| -> Option<f64> {
        line.split_once(&format!("{name}=\""))?.1.split_once('"')?.0.parse().ok()
    };
    let mut width = 0.0;
    let mut beside = Vec::new();
    for line in poppler_text(pdf, &["-bbox"]).lines() {
        if line.contains("<page ") {
            width = number(line, "width").expect("a page's width");
        } else if let (Some(left), Some(right)) = (number(line, "xMin"), number(line, "xMax"))
            && (left < 0.0 || right > width)
        {
            beside.push(line.trim().to_owned());
        }
    }
    beside
}
