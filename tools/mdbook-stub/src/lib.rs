//! What the library of mdbook-cmdrun 0.7.3 names of mdBook 0.4: four types and a trait.
//!
//! The adapter calls a single function of that library, which takes and returns text. What is here is
//! compiled and never used; the real mdBook 0.4 with all that it needs takes a minute to build.

/// The book, which nobody makes here.
pub mod book {
    use std::path::PathBuf;

    /// A book.
    pub struct Book {
        /// What it has in it.
        pub sections: Vec<BookItem>,
    }

    /// A part of a book.
    pub enum BookItem {
        /// A chapter.
        Chapter(Chapter),
        /// A line in the table of contents.
        Separator,
        /// A heading in the table of contents.
        PartTitle(String),
    }

    /// A chapter.
    pub struct Chapter {
        /// Its text.
        pub content: String,
        /// Its file.
        pub path: Option<PathBuf>,
        /// What is below it.
        pub sub_items: Vec<BookItem>,
    }
}

/// What a preprocessor is.
pub mod preprocess {
    use crate::book::Book;

    /// What mdBook would say of itself.
    pub struct PreprocessorContext(());

    /// A preprocessor.
    pub trait Preprocessor {
        /// Its name.
        fn name(&self) -> &str;
        /// Its work.
        ///
        /// # Errors
        ///
        /// If it fails.
        fn run(&self, context: &PreprocessorContext, book: Book) -> anyhow::Result<Book>;
        /// Whether it works for this renderer.
        fn supports_renderer(&self, renderer: &str) -> bool;
    }
}
