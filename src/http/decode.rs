//! stub
pub fn decode(_encoding: &str, _body: &[u8], _limit: usize) -> Result<Option<Vec<u8>>, std::io::Error> { Ok(None) }
