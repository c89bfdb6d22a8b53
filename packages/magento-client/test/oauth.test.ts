import { oauthHeader, signatureBase } from '../src';

const AS_RFC = { hasPort: true, decodesPath: false };

describe('OAuth 1.0a', () => {
  it('signs the text that RFC 5849 has in its example (3.4.1.1), port and all', () => {
    const oauth: [string, string][] = [
      ['oauth_consumer_key', '9djdj82h48djs9d2'],
      ['oauth_nonce', '7d8f3e4a'],
      ['oauth_signature_method', 'HMAC-SHA1'],
      ['oauth_timestamp', '137131201'],
      ['oauth_token', 'kkk9d7dh3k39sjv7'],
      ['c2', ''],
      ['a3', '2 q'],
    ];
    expect(signatureBase('POST', 'http://example.com/request?b5=%3D%253D&a3=a&c%40=&a2=r%20b', oauth, AS_RFC)).toBe(
      'POST&http%3A%2F%2Fexample.com%2Frequest&a2%3Dr%2520b%26a3%3D2%2520q%26a3%3Da%26b5%3D%253D%25253D%26' +
        'c%2540%3D%26c2%3D%26' +
        'oauth_consumer_key%3D9djdj82h48djs9d2%26oauth_nonce%3D7d8f3e4a%26oauth_signature_method%3DHMAC-SHA1%26' +
        'oauth_timestamp%3D137131201%26oauth_token%3Dkkk9d7dh3k39sjv7',
    );
  });

  it('signs the host without its port where requested, as the recorded store requires', () => {
    const base = (hasPort: boolean) => signatureBase('GET', 'http://shop:8081/rest', [], { ...AS_RFC, hasPort });
    expect(base(false)).toBe('GET&http%3A%2F%2Fshop%2Frest&');
    expect(base(true)).toBe('GET&http%3A%2F%2Fshop%3A8081%2Frest&');
  });

  it('decodes in the path what Magento 2.4.6 and newer decode, and nothing else', () => {
    const path = (decodesPath: boolean) =>
      signatureBase('GET', 'http://shop/a%2Fb%26%2C%2B%3B%3D%3A%40%24%25%20%27%C3%A4', [], {
        hasPort: false,
        decodesPath,
      }).split('&')[1];
    expect(decodeURIComponent(path(true) ?? '')).toBe('http://shop/a/b&,+;=:@$%%20%27%C3%A4');
    expect(decodeURIComponent(path(false) ?? '')).toBe('http://shop/a%2Fb%26%2C%2B%3B%3D%3A%40%24%25%20%27%C3%A4');
  });

  it('never signs twice with one nonce', () => {
    const credentials = { consumerKey: 'a', consumerSecret: 'b', accessToken: 'c', accessTokenSecret: 'd' };
    const nonces = Array.from(
      { length: 100 },
      () => /oauth_nonce="(\w+)"/.exec(oauthHeader('GET', 'http://shop/rest', credentials, { signedUrl: AS_RFC }))?.[1],
    );
    expect(new Set(nonces).size).toBe(100);
  });
});
