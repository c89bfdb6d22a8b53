// Shown by InvenTree: a panel on the part page, and an item of the dashboard. Text is set as text, never as HTML.

/** An element with text and children. */
function element(name, text, ...children) {
  const made = document.createElement(name);
  if (text) made.textContent = text;
  made.append(...children);
  return made;
}

function link(href, text) {
  const made = element('a', text);
  // Only an address of the web: whatever else a browser would run is left out.
  if (/^https?:\/\//.test(href)) made.href = href;
  made.target = '_blank';
  made.rel = 'noopener';
  return made;
}

function time(ms, locale) {
  const date = new Date(ms);
  const isToday = date.toDateString() === new Date().toDateString();
  return isToday ? date.toLocaleTimeString(locale) : date.toLocaleString(locale);
}

/** "Magento shows 50, in sync since 10:02; last change 12 → 50 by stockitem.counted" */
function partSentence({ sentence, isRight, since, lastChange }, locale) {
  const inSync = isRight && since ? `, in sync since ${time(since, locale)}` : '';
  if (!lastChange) return `${sentence}${inSync}`;
  const { from, to, cause, at } = lastChange;
  const change = `; last change ${from ?? '?'} → ${to ?? '?'} by ${cause}, ${time(at, locale)}`;
  return `${sentence}${inSync}${change}`;
}

function shopBlock(shop, count, sentence) {
  const mark = shop.isRight ? '✓ ' : '▲ ';
  const block = element('p', '', element('span', mark + sentence));
  if (count > 1 && shop.shop) block.prepend(element('strong', `${shop.shop}: `));
  if (shop.link) block.append(' ', link(shop.link, 'Details'));
  return block;
}

async function answerTo(request) {
  try {
    return (await request()).data.shops;
  } catch (error) {
    const status = error?.response?.status;
    const why = status === 403 ? 'you may not see it' : (status ?? error?.message ?? 'no answer');
    return [{ sentence: `What Magento shows is not known: ${why}`, isRight: false }];
  }
}

export function renderPanel(target, data) {
  const { part, may_sync: maySync } = data.context;
  const path = `/plugin/magento-sync/part/${part}/`;
  const status = element('div', 'Asking the stock sync ...');
  status.setAttribute('role', 'status');
  target.replaceChildren(status);

  async function show() {
    const shops = await answerTo(() => data.api.get(path));
    status.replaceChildren(...shops.map(shop => shopBlock(shop, shops.length, partSentence(shop, data.locale))));
  }

  if (maySync) {
    const button = element('button', 'Sync now');
    button.type = 'button';
    button.addEventListener('click', async () => {
      button.disabled = true;
      const shops = await answerTo(() => data.api.post(`${path}sync/`));
      const failed = shops.filter(shop => shop.sentence);
      if (failed.length > 0)
        status.replaceChildren(...failed.map(shop => shopBlock(shop, shops.length, shop.sentence)));
      // A sync takes a moment.
      else setTimeout(show, 1500);
      button.disabled = false;
    });
    target.append(button);
  }
  return show();
}

export async function renderDashboardItem(target, data) {
  target.replaceChildren(element('p', 'Asking the stock sync ...'));
  const shops = await answerTo(() => data.api.get('/plugin/magento-sync/summary/'));
  target.replaceChildren(
    ...shops.map(shop => {
      const block = shopBlock(shop, shops.length, shop.sentence);
      if (shop.inSync === undefined) return block;
      return element(
        'div',
        '',
        block,
        element('p', `In sync ${shop.inSync}, waiting ${shop.waiting}, failing ${shop.failing}`),
      );
    }),
  );
}
